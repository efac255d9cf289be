// The fields of the steps: a text, a number with its unit, something to tick.

import { h, set, show } from "../code/dom.js";
import { t } from "../code/texts.js";

/** A field of text. `draft[name]` is what is typed; `field` is what the server calls it. */
export function textField(draft, name, { id = name, field = name, label, help, ...props }) {
  const input = h("input", { type: "text", id, "data-field": field, autocomplete: "off", autocapitalize: "off", spellcheck: "false", value: draft[name] ?? "", ...props, on: { input: () => { draft[name] = input.value; set(input, "aria-invalid", null); } } });
  if (help) input.setAttribute("aria-describedby", `${id}-help`);
  return h("div", { class: "field" }, h("label", { for: id, text: label }), input, help ? h("p", { class: "detail", id: `${id}-help`, text: help }) : null);
}

/** A number that may be left empty, with its unit behind it. */
export function numberField(draft, name, { id = name, field = name, label, help, unit, max }) {
  const input = h("input", { type: "number", id, "data-field": field, inputmode: "decimal", min: 0, max, step: "any", value: draft[name], on: { input: () => { draft[name] = input.value; set(input, "aria-invalid", null); } } });
  if (help) input.setAttribute("aria-describedby", `${id}-help`);
  const row = h("div", { class: "with-unit" }, input, h("span", { text: unit, "aria-hidden": "true" }));
  return h("div", { class: "field" }, h("label", { for: id }, label, h("span", { class: "unseen", text: ` (${unit})` })), row, help ? h("p", { class: "detail", id: `${id}-help`, text: help }) : null);
}

/** A limit: a number, or none at all, which has to be said. */
export function limitField(draft, name, { label, help, unit, max }) {
  const node = numberField(draft, name, { label, help, unit, max });
  const input = node.querySelector("input");
  let former = draft[name] || "0";
  const none = h("input", { type: "checkbox", checked: draft[name] === "", on: { change } });
  function change() {
    if (none.checked) former = draft[name] || former;
    draft[name] = none.checked ? "" : former;
    input.value = draft[name];
    show(node.querySelector(".with-unit"), !none.checked);
    if (!none.checked) input.focus();
  }
  show(node.querySelector(".with-unit"), !none.checked);
  node.append(h("label", { class: "tick" }, none, h("span", { text: t("new_site.limits.none") })));
  return node;
}

/** Something to tick, with what it means below it. */
export function tick(draft, name, { label, help, on = () => {} }) {
  const input = h("input", { type: "checkbox", checked: Boolean(draft[name]), on: { change: () => { draft[name] = input.checked; on(input.checked); } } });
  return h("label", { class: "tick" }, input, h("span", {}, label, help ? h("span", { class: "below", text: help }) : null));
}

/** One of several: `choices` are [value, label, detail]. */
export function choices(name, value, list, choose) {
  return list.map(([each, label, detail]) => {
    const input = h("input", { type: "radio", name, value: each, checked: each === value, on: { change: () => choose(each) } });
    return h("label", { class: "tick" }, input, h("span", {}, label, detail ? h("span", { class: "below", text: detail }) : null));
  });
}

/** A step with its heading. */
export function stepCard(name, ...children) {
  return h("section", { class: "card step", "aria-labelledby": "step-title" }, h("h2", { id: "step-title", class: "big", tabindex: "-1", text: t(`new_site.${name}.title`) }), ...children);
}
