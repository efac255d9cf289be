// One inverter: what is asked of it beside what it does, why, what it could do, and its last hours.

import { card, h, icon, redraw, say, set, show } from "../code/dom.js";
import { UNKNOWN, kw, number, percent } from "../code/format.js";
import { faultOf, reasonsOf, troubleOf } from "../code/reasons.js";
import { t, tOr } from "../code/texts.js";
import { curves } from "./curves.js";
import { batteryWords, isOnlyShown, stateOf } from "./inverters.js";

const known = (value) => typeof value === "number" && Number.isFinite(value);

function batteryMeasured(inverter) {
  if (!known(inverter.battery_watts)) return UNKNOWN;
  return `${batteryWords(inverter.battery_watts)} ${kw(Math.abs(inverter.battery_watts))}`;
}

function batteryAsked(command) {
  if (!command?.battery_mode) return t("asked.not_ours");
  const power = kw(Math.abs(command.battery_target_watts ?? 0));
  return t(`asked.battery.${command.battery_mode}`, { power });
}

/** The range that battery power is held in, in words; "" where a side is left to the device. */
function windowOf(command) {
  const { battery_low_watts: low, battery_high_watts: high } = command ?? {};
  if (!known(low) || !known(high) || low === high) return ""; // one power says it all
  return t("inverter.between", { low: kw(low), high: kw(high) });
}

/** The rows of the table: what, asked, measured. */
function compared(inverter) {
  const command = inverter.command;
  const rows = [
    ["inverter.ac", command ? (known(command.ac_limit_watts) ? t("asked.ac_limit", { power: kw(command.ac_limit_watts) }) : t("asked.no_limit")) : t("asked.nothing"), kw(inverter.ac_watts)],
    ["inverter.ac_limit", "", known(inverter.ac_limit_watts) ? kw(inverter.ac_limit_watts) : t("limits.unlimited")],
    ["inverter.pv", "", kw(inverter.pv_watts)],
  ];
  if (known(inverter.battery_watts) || known(inverter.battery_soc_percent)) {
    rows.push(["inverter.battery", [batteryAsked(command), windowOf(command)].filter(Boolean).join(" · "), batteryMeasured(inverter)]);
    rows.push(["inverter.soc", "", percent(inverter.battery_soc_percent)]);
    if (command && known(command.battery_mode ? 1 : null)) rows.push(["inverter.grid_charging", gridCharging(command), ""]);
  }
  rows.push(["inverter.connection", command?.connect === false ? t("asked.disconnect") : "", connection(inverter)]);
  return rows;
}

function gridCharging(command) {
  if (typeof command.battery_grid_charging !== "boolean") return t("inverter.as_found");
  return t(command.battery_grid_charging ? "limits.yes" : "limits.no");
}

function connection(inverter) {
  if (typeof inverter.connected !== "boolean") return UNKNOWN;
  return t(inverter.connected ? "inverter.connected" : "inverter.disconnected");
}

function details(inverter) {
  return [
    ["inverter.make", [inverter.manufacturer, inverter.model].filter(Boolean).join(" ") || UNKNOWN],
    ["inverter.headroom_up", kw(inverter.headroom_up_watts)],
    ["inverter.headroom_down", kw(inverter.headroom_down_watts)],
    ["inverter.response", known(inverter.response_s) ? `${number(inverter.response_s, 1)} s` : UNKNOWN],
    ["inverter.faults", inverter.faults?.length ? inverter.faults.map(faultOf).join(", ") : t("inverter.no_faults")],
  ];
}

export function inverterView(name) {
  const state = h("p", { class: "big-state" });
  const trouble = h("div", { class: "notice", "data-kind": "away" }, icon("offline"));
  const troubleWords = h("p");
  trouble.append(h("div", {}, h("strong", { text: t("inverter.away_title") }), troubleWords, h("p", { text: `${t("events.todo")} ${t("happened.inverter_away.todo")}` })));
  const asked = h("th", { scope: "col" });
  const body = h("tbody");
  const table = h("table", { class: "compared" }, h("caption", { class: "unseen", text: t("inverter.compared") }),
    h("thead", {}, h("tr", {}, h("td"), asked, h("th", { scope: "col", text: t("inverter.measured") }))), body);
  const reasons = h("ul", { class: "reasons" });
  const facts = h("dl", { class: "facts" });
  const past = curves(name);
  const compareCard = card("inverter.compared", table);
  const whyCard = card("inverter.why", reasons);
  const factCard = card("inverter.device", facts);
  const unknown = h("p", { text: t("inverter.unknown", { name }), hidden: true });
  const pager = h("p", { class: "pager" });
  const node = h("div", { class: "inverter" },
    h("p", {}, h("a", { href: "#/", text: `← ${t("inverter.back")}` })),
    h("div", { class: "heading" }, h("h2", { class: "big", tabindex: "-1", text: name }), state), unknown, trouble,
    h("div", { class: "columns" }, compareCard, h("div", { class: "column" }, whyCard, factCard)),
    card("curves.title", past.node), pager);

  function pages(names) {
    const place = names.indexOf(name);
    const link = (other, words) => (other ? h("a", { href: `#/inverter/${encodeURIComponent(other)}`, text: words(other) }) : h("span"));
    return [link(names[place - 1], (other) => `← ${other}`), link(names[place + 1], (other) => `${other} →`)];
  }

  function update(all) {
    const inverter = all.inverters?.[name];
    const there = Boolean(inverter);
    const online = there && inverter.online;
    show(unknown, !there);
    show(trouble, there && !online);
    [compareCard, whyCard, factCard].forEach((each) => show(each, online));
    redraw(pager, Object.keys(all.inverters ?? {}), () => pages(Object.keys(all.inverters ?? {})));
    if (!there) return;
    const { kind, words } = stateOf(inverter);
    set(state, "data-state", kind);
    say(state, words);
    past.update();
    if (!online) {
      const why = troubleOf(inverter.trouble_why);
      say(troubleWords, why?.text ?? t("setup.no_answer_yet"));
      set(troubleWords, "lang", why?.lang ?? null);
      return;
    }
    say(asked, t(isOnlyShown(all) ? "inverters.would_ask" : "inverters.asked"));
    const rows = compared(inverter);
    redraw(body, rows, () => rows.map(([key, wanted, seen]) => h("tr", {}, h("th", { scope: "row", text: t(key) }), h("td", { text: wanted }), h("td", { class: "num", text: seen }))));
    const told = reasonsOf(inverter.command);
    redraw(reasons, told, () => (told.length ? told.map(({ text, lang }) => h("li", { lang, text })) : [h("li", { text: t("inverter.no_command") })]));
    const list = details(inverter);
    redraw(facts, list, () => list.flatMap(([key, text]) => [h("dt", { text: t(key) }), h("dd", { text })]));
  }
  return { title: name, node, update, close: past.close };
}
