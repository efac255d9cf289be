// The last hours, days and weeks as curves, with the same numbers as a table.

import { get } from "../code/api.js";
import { h, say, set, show } from "../code/dom.js";
import { UNKNOWN, kw, moment, percent } from "../code/format.js";
import { t } from "../code/texts.js";
import { plot } from "./plot.js";

const RANGES = { hours: 6, day: 24, week: 168, month: 744 };
const AGAIN_MS = 60_000;
const TABLE_ROWS = 24;
const SITE = [["pv_watts", "pv"], ["load_watts", "load"], ["site_watts", "grid"], ["battery_watts", "battery"], ["export_limit_watts", "limit"]];
const INVERTER = [["pv_watts", "pv"], ["ac_watts", "grid"], ["battery_watts", "battery"], ["ac_limit_watts", "limit"]];

/** The answer from the first to the last moment of which something is known. */
function knownPart(answer) {
  const names = Object.keys(answer).filter((name) => name.endsWith("_watts") && name !== "export_limit_watts");
  const known = answer.time.map((_, place) => names.some((name) => typeof answer[name][place] === "number"));
  const [begin, end] = [known.indexOf(true), known.lastIndexOf(true) + 1];
  const part = (column) => (Array.isArray(column) ? column.slice(Math.max(begin, 0), end) : column);
  return Object.fromEntries(Object.entries(answer).map(([name, column]) => [name, part(column)]));
}

/** The columns of the answer as drawn: an export limit lies on the side of export, which is negative. */
function columns(found, series) {
  return series.map(([key]) => (found[key] ?? []).map((value) => (value === null ? null : key === "export_limit_watts" ? -value / 1000 : value / 1000)));
}

function rows(found, series) {
  const step = Math.max(1, Math.ceil(found.time.length / TABLE_ROWS));
  const places = found.time.map((_, place) => place).filter((place) => place % step === 0).reverse();
  return places.map((place) => h("tr", {}, h("th", { scope: "row", text: moment(found.time[place] * 1000) }),
    ...series.map(([key]) => h("td", { class: "num", text: kw(found[key]?.[place]) })), h("td", { class: "num", text: percent(found.battery_soc_percent?.[place]) })));
}

export function curves(inverter = null) {
  const series = inverter === null ? SITE : INVERTER;
  const label = (key) => t(`curves.${inverter === null ? "site" : "inverter"}.${key}`);
  const place = h("div", { class: "plot", role: "img" });
  const socPlace = h("div", { class: "plot soc-plot", role: "img", "aria-label": t("curves.soc") });
  const note = h("p", { class: "quiet", text: t("curves.loading") });
  const head = h("tr", {}, h("th", { scope: "col", text: t("curves.time") }), ...series.map(([key]) => h("th", { scope: "col", text: label(key) })), h("th", { scope: "col", text: t("curves.soc") }));
  const body = h("tbody");
  const table = h("details", {}, h("summary", { text: t("curves.table") }), h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("curves.table") }, h("table", {}, h("thead", {}, head), body)));
  const values = new Map(series.map(([key]) => [key, h("span", { class: "at" })]));
  const at = h("span", { class: "quiet at-time" });
  const legend = h("ul", { class: "legend" }, h("li", {}, at), ...series.map(([key, kind]) => {
    const press = (event) => {
      const shown = event.currentTarget.getAttribute("aria-pressed") !== "true";
      set(event.currentTarget, "aria-pressed", shown);
      power?.show(key, shown);
    };
    return h("li", {}, h("button", { type: "button", class: `series ${kind}`, "aria-pressed": "true", on: { click: press } }, h("span", { class: "swatch", "aria-hidden": "true" }), h("span", { text: label(key) }), values.get(key)));
  }));
  let hours = RANGES.hours;
  let asked = 0;
  let found = null;
  let power = null;
  let charge = null;
  let ended = false;

  function pointed(place) {
    const index = place ?? (found?.time.length ?? 0) - 1;
    for (const [key, node] of values) say(node, index >= 0 ? kw(found?.[key]?.[index]) : UNKNOWN);
    say(at, index >= 0 ? moment(found.time[index] * 1000) : "");
  }

  function draw() {
    power?.close();
    charge?.close();
    const some = (found?.time.length ?? 0) > 1;
    show(note, !some);
    say(note, t("curves.nothing"));
    [place, socPlace, table, legend].forEach((each) => show(each, some));
    power = charge = null;
    if (!some) return;
    const shown = new Map(series.map(([key], index) => [key, legend.children[index + 1].firstChild.getAttribute("aria-pressed") === "true"]));
    const drawn = series.map(([key, kind]) => ({ key, kind, shown: shown.get(key) }));
    power = plot(place, { time: found.time, series: drawn, columns: columns(found, series), height: 260, unit: "kW", onPoint: pointed });
    const hasCharge = (found.battery_soc_percent ?? []).some((value) => value !== null);
    show(socPlace, hasCharge);
    if (hasCharge) charge = plot(socPlace, { time: found.time, series: [{ key: "soc", kind: "battery", shown: true }], columns: [found.battery_soc_percent], height: 110, unit: "%", range: [0, 100] });
    set(place, "aria-label", t("curves.picture", { from: moment(found.time[0] * 1000), to: moment(found.time.at(-1) * 1000) }));
    pointed(null);
    if (table.open) body.replaceChildren(...rows(found, series));
  }

  async function load() {
    asked = Date.now();
    const of = inverter === null ? "" : `&inverter=${encodeURIComponent(inverter)}`;
    const wanted = hours;
    try {
      const answer = await get(`history?hours=${wanted}${of}`);
      if (ended || wanted !== hours) return;
      found = knownPart(answer);
    } catch {
      if (ended || found) return;
    }
    draw();
  }

  const buttons = Object.entries(RANGES).map(([name, length]) => h("button", {
    type: "button", "aria-pressed": String(length === hours), text: t(`curves.ranges.${name}`),
    on: { click: (event) => { hours = length; for (const each of buttons) set(each, "aria-pressed", each === event.currentTarget); load(); } },
  }));
  table.addEventListener("toggle", () => found && table.open && body.replaceChildren(...rows(found, series)));
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw);
  const node = h("div", { class: "curves" }, h("div", { class: "choices", role: "group", "aria-label": t("curves.range") }, ...buttons), note, legend, place, socPlace, table);
  return {
    node,
    update: () => { if (Date.now() - asked > AGAIN_MS) load(); },
    close: () => { ended = true; dark.removeEventListener("change", draw); power?.close(); charge?.close(); },
  };
}
