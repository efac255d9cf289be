// Step 3: the meter at the grid connection, and which direction it counts as positive, by what it shows now.

import { change } from "../code/api.js";
import { h, say, show } from "../code/dom.js";
import { kw } from "../code/format.js";
import { t } from "../code/texts.js";
import { TYPED, chosenOf, meterOf } from "./answers.js";
import { choices, stepCard, textField } from "./fields.js";

const NONE = "none";

export function meterStep(context) {
  const { draft, state } = context;
  const chosen = chosenOf(draft, state).map((each) => each.key);
  const meters = state.meters.filter((each) => !each.is_behind || chosen.includes(each.key)); // it has the key of its inverter
  if (!meters.some((each) => each.key === draft.meter) && ![TYPED, NONE].includes(draft.meter)) draft.meter = meters[0]?.key ?? NONE;
  const list = meters.map((each) => [each.key, each.title, `${each.address}${each.is_behind ? `, ${t("new_site.meter.behind")}` : ""}`]);
  list.push([TYPED, t("new_site.meter.typed"), t("new_site.meter.typed_help")], [NONE, t("new_site.meter.unknown"), t("new_site.meter.unknown_help")]);
  const driver = h("select", { id: "driver", "data-field": "meter.driver", on: { change: () => { draft.driver = driver.value; } } },
    ...state.meter_drivers.map((name) => h("option", { value: name, text: name, selected: name === draft.driver })));
  const typed = h("div", { class: "step" },
    textField(draft, "address", { field: "meter.address", label: t("new_site.meter.address"), help: t("new_site.meter.address_help") }),
    h("div", { class: "field" }, h("label", { for: "driver", text: t("new_site.meter.driver") }), driver));
  const which = h("fieldset", { "data-field": "meter.device" }, h("legend", { text: t("new_site.meter.which") }), ...choices("meter", draft.meter, list, choose));
  const shows = h("p", { role: "status", class: "plan" });
  const read = h("button", { type: "button", text: t("new_site.meter.read"), on: { click: look } });
  const doings = ["draw", "feed", "auto"].map((each) => [each, t(`new_site.meter.doing.${each}`)]);
  const doing = h("fieldset", { hidden: true }, h("legend", { text: t("new_site.meter.doing_title") }), ...choices("doing", draft.doing, doings, (value) => { draft.doing = value; }));
  const sign = h("div", { class: "step" }, h("h3", { text: t("new_site.meter.sign") }), h("p", { text: t("new_site.meter.sign_what") }), shows, h("p", { class: "actions" }, read), doing);
  const node = stepCard("meter", h("p", { text: t("new_site.meter.what") }), which, typed, sign);
  let asked = 0;

  function choose(value) {
    draft.meter = value;
    draft.watts = null;
    draw();
    if (value !== TYPED && value !== NONE) look();
  }

  function draw() {
    show(typed, draft.meter === TYPED);
    show(sign, draft.meter !== NONE);
    const isKnown = draft.watts !== null && Math.round(draft.watts) !== 0;
    show(doing, isKnown);
    if (draft.watts === null) say(shows, "");
    else say(shows, isKnown ? t("new_site.meter.shows", { power: `${draft.watts > 0 ? "+" : ""}${kw(draft.watts)}` }) : t("new_site.meter.shows_nothing"));
  }

  async function look() {
    const mine = ++asked;
    draft.watts = null;
    draw();
    say(shows, t("new_site.meter.reading"));
    try {
      const said = await change("POST", "setup/meter", meterOf(draft));
      if (mine !== asked) return;
      draft.watts = said.watts;
      draw();
      if (said.watts === null) say(shows, t("new_site.meter.no_answer"));
    } catch (error) {
      if (mine !== asked) return;
      draw();
      context.refused(error);
    }
  }

  draw();
  return { node, opened: () => { if (draft.watts === null && draft.meter !== TYPED && draft.meter !== NONE) look(); }, close: () => { asked += 1; } };
}
