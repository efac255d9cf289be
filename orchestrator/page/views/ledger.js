// The ledger: when a limit was exceeded, by how much and for how long.

import { get } from "../code/api.js";
import { card, h, say, set, show } from "../code/dom.js";
import { duration, kw, kwh, moment } from "../code/format.js";
import { reasonsOf, source } from "../code/reasons.js";
import { t, tOr } from "../code/texts.js";
import { isOnlyShown } from "./inverters.js";

const DAYS = 31;
const ALLOWED_S = 5; // the strictest rule in force anywhere

const entries = async () => {
  const found = await get(`ledger?days=${DAYS}`);
  return Array.isArray(found) ? found : (found.excesses ?? []);
};

const limitName = (name) => tOr(`ledger.limits.${name}`, tOr(`fields.${name}.name`, name));

function row(excess) {
  const [reason] = reasonsOf(excess.why?.length ? excess : { reasons: excess.reasons });
  const away = excess.away?.length ? t("ledger.away", { names: excess.away.join(", ") }) : null;
  const how = t(`ledger.outcomes.${excess.outcome ?? "ended"}`);
  const node = h("tr", {},
    h("th", { scope: "row", text: moment(excess.began, { seconds: true }) }),
    h("td", {}, limitName(excess.limit), h("span", { class: "below", text: `${kw(excess.limit_watts)} · ${source(excess.source)}` }), h("span", { class: "below narrow", text: how })),
    h("td", { class: "num", text: kw(excess.peak_watts) }),
    h("td", { class: "num", text: duration(excess.seconds) }),
    h("td", { class: "num energy", text: kwh(excess.energy_wh) }),
    h("td", { class: "how" }, how, away ? h("span", { class: "below", text: away }) : null,
      reason ? h("span", { class: "below", lang: reason.lang, text: reason.text }) : null));
  set(node, "data-long", excess.seconds > ALLOWED_S ? "yes" : null);
  return node;
}

/** In one sentence whether the limits were kept. */
export function ledgerSummary() {
  const words = h("p", { class: "verdict", text: t("ledger.loading") });
  entries().then((found) => {
    const long = found.filter((each) => each.seconds > ALLOWED_S).length;
    say(words, t(found.length === 0 ? "ledger.kept" : long === 0 ? "ledger.short_only" : "ledger.exceeded", { n: found.length, long, days: DAYS, s: ALLOWED_S }));
    set(words, "data-kept", long === 0 ? "yes" : "no");
  }, () => say(words, t("ledger.unreadable")));
  const aside = h("p", { class: "quiet", text: t("ledger.not_ours"), hidden: true });
  return { node: h("div", {}, words, aside), update: (state) => show(aside, isOnlyShown(state)) };
}

export function ledgerView() {
  const summary = ledgerSummary();
  const place = h("div");
  const columns = ["began", "limit", "peak", "lasted", "energy", "how"];
  entries().then((found) => {
    if (!found.length) return;
    const head = h("tr", {}, ...columns.map((name) => h("th", { scope: "col", class: name, text: t(`ledger.${name}`) })));
    place.replaceChildren(h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("ledger.table") },
      h("table", { class: "ledger" }, h("caption", { class: "unseen", text: t("ledger.title") }), h("thead", {}, head), h("tbody", {}, ...found.map(row)))));
  }, () => {});
  const node = h("div", {}, card("ledger.title", summary.node, h("p", { class: "quiet", text: t("ledger.what", { days: DAYS }) }), place));
  return { title: t("page.ledger"), node, update: summary.update };
}
