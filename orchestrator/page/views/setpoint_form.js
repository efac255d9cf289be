// A setpoint by hand: any of the fields, each left empty where nothing is asked, and an end.

import { h, say, set, show } from "../code/dom.js";
import { t } from "../code/texts.js";
import { durations, untilOf } from "./until.js";

/** The fields in the order of the form: first those that people want, the others behind "more". */
const FIRST = ["export_limit_watts", "import_limit_watts", "battery_target_soc_percent", "battery_soc_min_percent", "battery_charge_max_watts", "battery_discharge_max_watts"];
const MORE = [
  "generation_limit_watts", "load_limit_watts", "battery_soc_max_percent", "battery_charge_rate_percent", "battery_discharge_rate_percent",
  "battery_import_target_watts", "battery_export_target_watts", "battery_grid_charging_max_watts",
];
const CHOICES = {
  battery_priority_mode: ["battery_first", "export_first"],
  battery_grid_charging_enabled: [true, false],
  battery_storage_mode: [0, 1, 2, 3],
  connect: [true, false],
  energize: [true, false],
};
const MOST_KW = 1_000_000;

function numberField(name) {
  const inWatts = name.endsWith("_watts");
  const input = h("input", { type: "number", id: `set-${name}`, min: 0, max: inWatts ? MOST_KW : 100, step: inWatts ? 0.001 : 0.1, inputmode: "decimal", placeholder: t("setpoint.not_asked") });
  const node = h("div", { class: "field" }, h("label", { for: `set-${name}`, text: `${t(`fields.${name}.name`)} (${inWatts ? "kW" : "%"})` }), input);
  const read = () => (input.value === "" ? undefined : inWatts ? Math.round(Number(input.value) * 1000) : Number(input.value));
  return { name, node, input, read };
}

function choiceField(name, values) {
  const word = (value) => (typeof value === "boolean" ? t(value ? "limits.yes" : "limits.no") : t(`values.${name}.${value}`));
  const options = values.map((value, place) => h("option", { value: place, text: word(value) }));
  const input = h("select", { id: `set-${name}` }, h("option", { value: "", text: t("setpoint.not_asked") }), ...options);
  const node = h("div", { class: "field" }, h("label", { for: `set-${name}`, text: t(`fields.${name}.name`) }), input);
  return { name, node, input, read: () => (input.value === "" ? undefined : values[Number(input.value)]) };
}

/** `send(body)` gets the fields that were filled in, and `for_s`. */
export function setpointForm(send) {
  const first = FIRST.map(numberField);
  const more = [...MORE.map(numberField), ...Object.entries(CHOICES).map(([name, values]) => choiceField(name, values))];
  const length = durations("setpoint-length");
  const wrong = h("p", { class: "answer", "data-good": "false", role: "alert", hidden: true });

  function submit(event) {
    event.preventDefault();
    const body = {};
    for (const { name, read } of [...first, ...more]) {
      const value = read();
      if (value !== undefined) body[name] = value;
    }
    const end = untilOf(length.value());
    const problem = Object.keys(body).length === 0 ? "setpoint.empty" : !(end.for_s > 0) ? "setpoint.past" : null;
    show(wrong, problem);
    if (problem) say(wrong, t(problem));
    else send({ ...body, ...end });
  }

  const node = h("form", { class: "setpoint", on: { submit } }, ...first.map((each) => each.node),
    h("details", {}, h("summary", { text: t("setpoint.more") }), ...more.map((each) => each.node)),
    length.node, wrong, h("button", { class: "primary", text: t("setpoint.send") }));
  set(node, "aria-label", t("change.setpoint"));
  return { node };
}

export const FIELDS = [...FIRST, ...MORE, ...Object.keys(CHOICES)];
