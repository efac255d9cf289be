// The site at a glance: what flows and why, the limits in force, every inverter, the last hours, what happened.

import { card, h, redraw, say, show } from "../code/dom.js";
import { kw } from "../code/format.js";
import { reasonsOf } from "../code/reasons.js";
import { t } from "../code/texts.js";
import { curves } from "./curves.js";
import { eventList } from "./events.js";
import { flowPicture } from "./flow.js";
import { inverterTable, isOnlyShown } from "./inverters.js";
import { ledgerSummary } from "./ledger.js";
import { limitList } from "./limits.js";
import { setup } from "./setup.js";

const LATEST = 5;

/** What is planned for all batteries together, and every reason of the site. */
function whyCard() {
  const plan = h("p", { class: "plan" });
  const list = h("ul", { class: "reasons" });
  const node = card("site.why", plan, list);
  function update(state) {
    const { site } = state;
    const shadow = isOnlyShown(state);
    say(node.firstChild, t(shadow ? "site.would" : "site.why"));
    const target = site.target_battery_power_watts;
    const mode = site.battery_mode;
    const power = kw(typeof target === "number" ? Math.abs(target) : null);
    const words = !mode ? "" : shadow ? t(`plan_shadow.${mode}`, { power }) : t(`plan.${mode}`, { power });
    say(plan, words);
    show(plan, words);
    const reasons = reasonsOf(site);
    redraw(list, reasons, () => reasons.map(({ text, lang }) => h("li", { lang, text })));
  }
  return { node, update };
}

export function siteView(_subject, context) {
  const missing = setup();
  const flow = flowPicture();
  const why = whyCard();
  const limits = limitList(context);
  const inverters = inverterTable();
  const past = curves();
  const events = eventList(LATEST);
  const ledger = ledgerSummary();
  const flowCard = card("site.now", flow.node);
  const eventCard = card("events.title_latest", events.node, h("p", {}, h("a", { href: "#/events", text: t("events.all") })));
  const ledgerCard = card("ledger.title", ledger.node, h("p", {}, h("a", { href: "#/ledger", text: t("ledger.all") })));
  const inverterCard = card("inverters.title", inverters.node);
  const limitCard = card("limits.title", limits.node);
  const pastCard = card("curves.title", past.node);
  const top = h("div", { class: "columns" }, flowCard, h("div", { class: "column" }, why.node, limitCard));
  const node = h("div", { class: "site" }, missing.node, top, inverterCard, pastCard, h("div", { class: "columns" }, eventCard, ledgerCard));

  function update(state) {
    const decided = Boolean(state.site) && state.site.mode !== "waiting";
    show(missing.node, !decided);
    show(flowCard, decided);
    show(why.node, decided);
    [pastCard, ledgerCard].forEach((each) => show(each, decided));
    ledger.update(state);
    show(inverterCard, decided && Object.keys(state.inverters ?? {}).length > 0);
    if (decided) {
      flow.update(state);
      why.update(state);
    } else {
      missing.update(state);
    }
    limits.update(state.limits);
    inverters.update(state);
    events.update(context.events());
    past.update();
  }
  return { title: "", node, update, tick: () => limits.tick(), close: past.close };
}
