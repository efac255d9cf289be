// The limits in force: what is asked, by whom, and how much longer.

import { h, keyed, say, set, show } from "../code/dom.js";
import { duration, moment } from "../code/format.js";
import { source, valueOf } from "../code/reasons.js";
import { t, tOr } from "../code/texts.js";

function row(name, context) {
  const value = h("span", { class: "amount" });
  const who = h("span", { class: "who" });
  const left = h("span", { class: "left" });
  const node = h("li", {}, h("span", { class: "what", text: tOr(`fields.${name}.name`, name), title: tOr(`fields.${name}.says`, "") }), value,
    h("span", { class: "origin" }, who, " · ", left));
  let until = null;
  function tick() {
    if (until === null) return say(left, t("limits.no_end"));
    const seconds = (Date.parse(until) - context.now()) / 1000;
    return say(left, t("limits.until", { at: moment(until), left: duration(seconds) }));
  }
  function update(limit) {
    until = limit.valid_until ?? null;
    say(value, valueOf(name, limit.value));
    say(who, limit.is_default ? t("limits.default_of", { source: source(limit.source) }) : source(limit.source));
    set(node, "data-default", limit.is_default ? "yes" : null);
    tick();
  }
  return { node, update, tick };
}

export function limitList(context) {
  const list = h("ul", { class: "limits" });
  const none = h("p", { class: "quiet", text: t("limits.none") });
  const rows = new Map();
  const showRows = keyed(list, (name) => {
    const made = row(name, context);
    rows.set(name, made);
    return made;
  });
  function update(limits) {
    const found = Object.entries(limits ?? {}).filter(([name]) => name !== "time");
    showRows(found);
    show(none, found.length === 0);
  }
  return { node: h("div", {}, list, none), update, tick: () => rows.forEach((each) => each.tick()) };
}
