// How long something is to hold: a choice of lengths, or a time of one's own.

import { h, show } from "../code/dom.js";
import { t } from "../code/texts.js";

const LENGTHS = { quarter: 900, hour: 3600, four: 14_400, day: 86_400 };
const OWN = "own";

/** The body of a request for the value of `durations`: {for_s}. */
export function untilOf({ choice, until }) {
  if (choice !== OWN) return { for_s: LENGTHS[choice] };
  return { for_s: Math.round((new Date(until).getTime() - Date.now()) / 1000) };
}

export function durations(id) {
  const own = h("input", { type: "datetime-local", id: `${id}-own`, "aria-label": t("until.own_time"), hidden: true });
  const options = [...Object.keys(LENGTHS), OWN].map((name) => h("option", { value: name, text: t(`until.${name}`), selected: name === "hour" }));
  const choice = h("select", { id, on: { change: () => { show(own, choice.value === OWN); own.required = choice.value === OWN; } } }, ...options);
  const node = h("div", { class: "field" }, h("label", { for: id, text: t("until.how_long") }), choice, own);
  return { node, value: () => ({ choice: choice.value, until: own.value }) };
}
