// What must not be missed: failsafe, shadow mode, a pause, devices that are away, a connection that is lost.

import { h, icon, redraw } from "../code/dom.js";
import { moment } from "../code/format.js";
import { reasonsOf, troubleOf } from "../code/reasons.js";
import { current, t } from "../code/texts.js";

const NAMED = 6;

function awayNotice(state, shown) {
  const away = state.site?.inverters_away ?? [];
  if (!away.length || state.site.mode === "waiting") return null;
  if (away.length === 1 && away[0] === shown) return null; // its own view says it
  const names = away.slice(0, NAMED).join(", ") + (away.length > NAMED ? " …" : "");
  const all = away.length + (state.site.inverters_online ?? []).length;
  return { kind: "away", icon: "offline", facts: { n: away.length, all, names }, href: `#/inverter/${encodeURIComponent(away[0])}` };
}

function controlNotice(state) {
  if (state.control === "released") return { kind: "released", icon: "hand" };
  if (state.control !== "paused") return null;
  return { kind: "paused", icon: "pause", facts: { until: state.control_until ? moment(state.control_until) : "?" } };
}

/** Every notice that is due, the gravest first. */
function due(state, link) {
  const found = [];
  if (!link.live) found.push({ kind: "lost", icon: "offline", facts: { at: moment(link.since, { seconds: true }) } });
  if (link.stuck) found.push({ kind: "stuck", icon: "clock", facts: { at: moment(link.stuck, { seconds: true }) } });
  if (!state) return found;
  if (state.site?.mode === "failsafe") found.push({ kind: "failsafe", icon: "warning", reasons: reasonsOf(state.site), trouble: troubleOf(state.site.meter_trouble_why, { within: true }) });
  found.push(controlNotice(state));
  if (state.shadow) found.push({ kind: "shadow", icon: "eye" });
  found.push(awayNotice(state, link.shown));
  const silent = (state.sources ?? []).filter((source) => !source.fresh).map((source) => source.name);
  if (silent.length) found.push({ kind: "source", icon: "clock", facts: { names: silent.join(", ") } });
  return found.filter(Boolean);
}

function card({ kind, icon: picture, facts, href, reasons, trouble }) {
  const why = reasons?.length ? h("p", {}, h("span", { lang: reasons[0].lang, text: reasons[0].text }), trouble ? h("span", { lang: trouble.lang, text: ` (${trouble.text})` }) : null) : null;
  const more = href ? h("a", { href, text: t("notices.show") }) : null;
  return h("section", { class: "notice", "data-kind": kind }, icon(picture),
    h("div", {}, h("strong", { text: t(`notices.${kind}.title`, facts) }), why,
      h("p", {}, t(`notices.${kind}.text`, facts), " ", more)));
}

/** Show them in `place`. */
export function notices(place, state, link) {
  const found = due(state, link);
  redraw(place, [found, current()], () => found.map(card));
}
