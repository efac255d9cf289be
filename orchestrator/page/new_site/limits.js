// Step 4: what always holds, and whether batteries are commanded.

import { h } from "../code/dom.js";
import { t } from "../code/texts.js";
import { hasBattery } from "./answers.js";
import { limitField, numberField, stepCard, tick } from "./fields.js";

export function limitsStep({ draft, state }) {
  const battery = hasBattery(draft, state);
  const node = stepCard("limits", h("p", { text: t("new_site.limits.what") }),
    limitField(draft, "export_limit", { label: t("new_site.limits.export"), help: t("new_site.limits.export_help"), unit: "kW", max: 1_000_000 }),
    limitField(draft, "import_limit", { label: t("new_site.limits.import"), help: t("new_site.limits.import_help"), unit: "kW", max: 1_000_000 }),
    battery ? numberField(draft, "soc_min", { label: t("new_site.limits.soc_min"), help: t("new_site.limits.soc_min_help"), unit: "%", max: 100 }) : null,
    battery ? tick(draft, "batteries", { label: t("new_site.limits.batteries"), help: t("new_site.limits.batteries_help") }) : null);
  return { node };
}
