// Step 2: which of the inverters belong to the site, what each is called, and what they do not say of themselves.

import { h, show } from "../code/dom.js";
import { t } from "../code/texts.js";
import { chosenOf, inverterDraft } from "./answers.js";
import { numberField, stepCard, textField, tick } from "./fields.js";

export function invertersStep(context) {
  const { draft, state } = context;
  const cards = [];

  /** The server calls an inverter by its place among those that are chosen. */
  function number() {
    const chosen = chosenOf(draft, state).map((each) => each.key);
    for (const { device, node, fields } of cards) {
      const place = chosen.indexOf(device.key);
      show(fields, place >= 0);
      for (const input of node.querySelectorAll("[data-what]")) input.dataset.field = `inverters.${place}.${input.dataset.what}`;
    }
  }

  state.inverters.forEach((device, index) => {
    const own = inverterDraft(draft, device);
    const id = `inverter-${index}`;
    const what = device.has_battery ? t("new_site.kinds.hybrid") : t("new_site.kinds.inverter");
    const fields = h("div", { class: "fields" },
      textField(own, "name", { id: `${id}-name`, label: t("new_site.inverters.name"), maxlength: 32, "data-what": "name" }),
      device.rating_watts === null ? numberField(own, "rating", { id: `${id}-rating`, label: t("new_site.inverters.rating"), help: t("new_site.inverters.rating_help"), unit: "kW", max: 1000 }) : null,
      device.has_battery && device.capacity_wh === null ? numberField(own, "capacity", { id: `${id}-capacity`, label: t("new_site.inverters.capacity"), help: t("new_site.inverters.capacity_help"), unit: "kWh", max: 10000 }) : null);
    for (const [key, input] of [["rating", fields.querySelector(`#${id}-rating`)], ["capacity", fields.querySelector(`#${id}-capacity`)]]) {
      if (input) input.dataset.what = key;
    }
    const legend = h("legend", {}, tick(own, "chosen", { label: device.title, help: `${what}, ${device.address}${device.serial ? `, ${device.serial}` : ""}`, on: number }));
    const node = h("fieldset", { class: "device" }, legend, fields);
    cards.push({ device, node, fields });
  });
  number();
  const node = stepCard("inverters", h("p", { text: t("new_site.inverters.what") }), h("p", { class: "detail", text: t("new_site.inverters.name_help") }), ...cards.map((each) => each.node));
  return { node };
}
