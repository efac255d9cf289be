// All inverters in one table: what each does, what is asked of it, and why. Each name leads to its own view.

import { h, icon, keyed, redraw, say, set, show } from "../code/dom.js";
import { kw, percent } from "../code/format.js";
import { reasonsOf, troubleOf } from "../code/reasons.js";
import { t, tOr } from "../code/texts.js";

const MANY = 13; // from here on they are shown as tiles, and can be looked for by name
const COLUMNS = ["name", "pv", "battery", "ac", "asked", "why"];

const known = (value) => typeof value === "number" && Number.isFinite(value);

/** How an inverter is: away, fault, or what it says of itself. */
export function stateOf(inverter) {
  if (!inverter.online) return { kind: "away", words: t("states.away"), icon: "offline" };
  if (inverter.faults?.length || inverter.state === "fault") return { kind: "fault", words: t("states.fault"), icon: "warning" };
  if (inverter.connected === false) return { kind: "off", words: t("states.disconnected"), icon: "hand" };
  return { kind: inverter.state ?? "unknown", words: inverter.state ? tOr(`states.${inverter.state}`, inverter.state) : t("states.online"), icon: null };
}

/** Whether commands are computed and shown, and not sent. */
export const isOnlyShown = (state) => state.shadow || state.control === "released";

/** Battery power with its direction in words. */
export function batteryWords(watts) {
  if (!known(watts)) return "";
  const word = Math.abs(watts) < 15 ? "flow.rest" : watts > 0 ? "flow.charge" : "flow.discharge";
  return t(word);
}

/** What is asked of it, in one short line. */
export function askedOf(command) {
  if (!command) return t("asked.nothing");
  const words = [];
  if (command.connect === false) words.push(t("asked.disconnect"));
  if (command.battery_mode) words.push(t(`asked.battery.${command.battery_mode}`, { power: kw(Math.abs(command.battery_target_watts ?? 0)) }));
  if (known(command.ac_limit_watts)) words.push(t("asked.ac_limit", { power: kw(command.ac_limit_watts) }));
  return words.join(", ") || t("asked.no_limit");
}

/** A bar for a state of charge. The number stands beside it. */
export function socBar() {
  const bar = h("span", { class: "soc", "aria-hidden": "true" }, h("span"));
  return { node: bar, update: (value) => { show(bar, known(value)); bar.style.setProperty("--part", known(value) ? value / 100 : 0); } };
}

function row(name) {
  const sign = h("span", { class: "sign" });
  const state = h("span", { class: "state" });
  const link = h("a", { href: `#/inverter/${encodeURIComponent(name)}`, text: name });
  const pv = h("td", { class: "num pv" });
  const ac = h("td", { class: "num ac" });
  const power = h("span");
  const detail = h("span", { class: "below" });
  const bar = socBar();
  const battery = h("td", { class: "num battery" }, power, detail, bar.node);
  const asked = h("td", { class: "asked" });
  const why = h("td", { class: "why" });
  const node = h("tr", {}, h("th", { scope: "row" }, link, h("span", { class: "below" }, sign, state)), pv, battery, ac, asked, why);
  function update(inverter) {
    const { kind, words, icon: picture } = stateOf(inverter);
    set(node, "data-state", kind);
    if (sign.dataset.icon !== String(picture)) {
      sign.dataset.icon = picture;
      sign.replaceChildren(...(picture ? [icon(picture)] : []));
    }
    say(state, words);
    say(pv, kw(inverter.pv_watts));
    say(ac, kw(inverter.ac_watts));
    const hasBattery = known(inverter.battery_watts) || known(inverter.battery_soc_percent);
    say(power, hasBattery ? kw(known(inverter.battery_watts) ? Math.abs(inverter.battery_watts) : null) : "");
    say(detail, hasBattery ? [batteryWords(inverter.battery_watts), known(inverter.battery_soc_percent) ? percent(inverter.battery_soc_percent) : ""].filter(Boolean).join(" · ") : "");
    bar.update(inverter.battery_soc_percent);
    say(asked, inverter.online ? askedOf(inverter.command) : "");
    const [reason] = inverter.online ? reasonsOf(inverter.command) : [troubleOf(inverter.trouble_why)];
    say(why, reason?.text ?? "");
    set(why, "lang", reason?.lang ?? null);
  }
  return { node, update };
}

const RANK = { away: 0, fault: 1 };
const rank = ([, inverter]) => RANK[stateOf(inverter).kind] ?? 2;

function tile(name) {
  const power = h("span", { class: "tile-power" });
  const state = h("span", { class: "tile-state" });
  const bar = socBar();
  const link = h("a", { class: "tile", href: `#/inverter/${encodeURIComponent(name)}` }, h("span", { class: "tile-name", text: name }), power, state, bar.node);
  function update(inverter) {
    const { kind, words, icon: picture } = stateOf(inverter);
    set(link, "data-state", kind);
    say(power, kw(inverter.ac_watts));
    redraw(state, [words, picture], () => [picture ? icon(picture) : null, h("span", { text: words })].filter(Boolean));
    bar.update(inverter.battery_soc_percent);
  }
  return { node: h("li", {}, link), update };
}

/** A choice between two ways to show many inverters. */
function wayButtons(choose) {
  const buttons = ["tiles", "table"].map((name) => h("button", {
    type: "button", text: t(`inverters.${name}`), "aria-pressed": String(name === "tiles"),
    on: { click: (event) => { for (const each of buttons) set(each, "aria-pressed", each === event.currentTarget); choose(name); } },
  }));
  return h("div", { class: "choices", role: "group", "aria-label": t("inverters.shown_as") }, ...buttons);
}

export function inverterTable() {
  const body = h("tbody");
  const heads = COLUMNS.map((name) => h("th", { scope: "col", class: name, text: t(`inverters.${name}`) }));
  const table = h("table", { class: "inverters" }, h("caption", { class: "unseen", text: t("inverters.title") }), h("thead", {}, h("tr", {}, ...heads)), body);
  const summary = h("p", { class: "quiet" });
  const filter = h("input", { type: "search", "aria-label": t("inverters.filter"), placeholder: t("inverters.filter"), on: { input: () => draw() } });
  const tiles = h("ul", { class: "tiles" });
  const showRows = keyed(body, row);
  const showTiles = keyed(tiles, tile);
  let way = "tiles";
  const ways = wayButtons((name) => { way = name; draw(); });
  let latest = null;
  function draw() {
    const all = Object.entries(latest.inverters ?? {});
    const wanted = filter.value.trim().toLowerCase();
    const away = all.filter(([, each]) => !each.online).length;
    const many = all.length >= MANY;
    const shown = all.filter(([name]) => name.toLowerCase().includes(wanted)).sort((one, other) => rank(one) - rank(other));
    [filter, ways].forEach((each) => show(each, many));
    show(tiles, many && way === "tiles");
    show(table, !many || way === "table");
    say(summary, t(away ? "inverters.some_away" : "inverters.all_answer", { n: all.length, away }));
    say(heads[4], t(isOnlyShown(latest) ? "inverters.would_ask" : "inverters.asked"));
    if (tiles.hidden) showRows(shown);
    else showTiles(shown);
  }
  const node = h("div", {}, h("div", { class: "tools" }, summary, ways, filter), tiles, table);
  return { node, update: (state) => { latest = state; draw(); } };
}
