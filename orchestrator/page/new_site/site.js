// Step 5: the name of the site, its time zone, and shadow mode.

import { h, show } from "../code/dom.js";
import { t } from "../code/texts.js";
import { timezoneOf } from "./answers.js";
import { stepCard, textField, tick } from "./fields.js";

export function siteStep({ draft, state }) {
  timezoneOf(draft, state);
  const warned = h("p", { class: "hint", text: t("new_site.site.not_shadow"), hidden: draft.shadow });
  const zones = h("datalist", { id: "zones" }, ...(Intl.supportedValuesOf?.("timeZone") ?? []).map((name) => h("option", { value: name })));
  const node = stepCard("site",
    textField(draft, "name", { label: t("new_site.site.name"), maxlength: 64 }),
    textField(draft, "timezone", { label: t("new_site.site.timezone"), help: t("new_site.site.timezone_help"), list: "zones" }), zones,
    tick(draft, "shadow", { label: t("new_site.site.shadow"), help: t("new_site.site.shadow_help"), on: (isOn) => show(warned, !isOn) }), warned);
  return { node };
}
