// What happened, in plain words, and what to do about it.

import { get } from "../code/api.js";
import { card, h, icon, redraw, say, show } from "../code/dom.js";
import { moment } from "../code/format.js";
import { refusalOf, sentenceOf, source } from "../code/reasons.js";
import { current, t, tOr } from "../code/texts.js";

const MOST = 200;
const CALM = ["mode_normal", "inverter_back", "setpoint", "reason", "status", "setpoint_by_hand", "setpoint_by_hand_withdrawn", "paused", "pause_ended", "resumed", "reloaded"];

const SAME = { meter_trouble: "meter", meter_silent: "meter", mode_failsafe: "meter", inverter_trouble: "inverter_away" };

function subjectOf(event) {
  if (!event.subject || event.subject === "site") return "";
  return event.subject === "meter" ? t("setup.meter") : source(event.subject);
}

/** What it says of itself, in the reader's language where the server says it as a value. */
function detailOf({ why, detail }) {
  if (why) return h("p", { class: "detail", text: sentenceOf(why) });
  return detail ? h("p", { class: "detail", lang: "en", text: detail }) : null;
}

/** `told` are the troubles whose "what to do" stands above already: fifty devices in one trouble need it once, and a
 * meter that is silent does not need it three times. */
function entry(event, told) {
  const calm = CALM.includes(event.event);
  const subject = subjectOf(event);
  const trouble = SAME[event.event] ?? event.event;
  const todo = told.has(trouble) ? "" : tOr(`happened.${event.event}.todo`, "");
  told.add(trouble);
  const head = h("p", { class: "event-head" }, icon(calm ? "info" : "warning"), h("time", { datetime: event.time, text: moment(event.time, { seconds: true }) }),
    h("strong", { text: tOr(`happened.${event.event}.title`, event.event) }), subject ? h("span", { class: "subject", text: subject }) : null);
  return h("li", { class: "event", "data-calm": calm ? "yes" : "no" }, head,
    todo ? h("p", { class: "todo-line" }, h("b", { text: `${t("events.todo")} ` }), todo) : null,
    detailOf(event));
}

/** The newest `most` of them, newest first. */
export function eventList(most) {
  const list = h("ol", { class: "events" });
  const none = h("p", { class: "quiet", text: t("events.none") });
  function update(events) {
    const shown = events.slice(0, most);
    redraw(list, [shown, current()], () => {
      const told = new Set();
      return shown.map((event) => entry(event, told));
    });
    show(none, shown.length === 0);
  }
  return { node: h("div", {}, list, none), update };
}

export function eventsView(_subject, context) {
  const list = eventList(MOST);
  const trouble = h("p", { class: "quiet", hidden: true });
  let older = [];
  const same = (one, other) => one.time === other.time && one.event === other.event && one.subject === other.subject;
  function draw() {
    const live = context.events();
    list.update([...live, ...older.filter((each) => !live.some((known) => same(known, each)))]);
  }
  get(`events?limit=${MOST}`).then((found) => { older = found; draw(); }, (refused) => { say(trouble, refusalOf(refused)); show(trouble, true); });
  return { title: t("page.events"), node: h("div", {}, card("events.title", trouble, list.node)), update: draw };
}
