// The picture of what flows: sun, batteries, grid and load around the site, with arrows the way the power goes.

import { h, icon, s, say, set } from "../code/dom.js";
import { kw, kwNumber, percent } from "../code/format.js";
import { t } from "../code/texts.js";

const NOTHING_WATTS = 15; // below, a line without an arrow: a meter flutters so much
const HUB = [200, 190];
const NODES = {
  pv: { at: [200, 68], icon: "sun" },
  grid: { at: [58, 190], icon: "grid" },
  load: { at: [342, 190], icon: "house" },
  battery: { at: [200, 312], icon: "battery" },
};
const RADIUS = 44;
const HUB_RADIUS = 13;

const known = (watts) => typeof watts === "number" && Number.isFinite(watts);

/** What flows at each node: `watts` >= 0 towards the hub or away from it, and the words for it. */
export function flows(site, inverters) {
  const stored = batteriesOf(inverters);
  const grid = site.site_watts;
  const battery = site.battery_watts;
  return {
    pv: { watts: site.pv_watts, inwards: true, word: null },
    load: { watts: site.load_watts, inwards: known(site.load_watts) && site.load_watts < 0, word: known(site.load_watts) ? null : "flow.unknown" },
    grid: { watts: grid, inwards: known(grid) && grid > 0, word: direction(grid, "flow.import", "flow.export", "flow.no_grid") },
    battery: {
      watts: battery, inwards: known(battery) && battery < 0, more: stored.soc,
      word: stored.count === 0 ? "flow.no_battery" : direction(battery, "flow.charge", "flow.discharge", "flow.rest"),
    },
  };
}

function direction(watts, positive, negative, none) {
  if (!known(watts)) return "flow.unknown";
  if (Math.abs(watts) < NOTHING_WATTS) return none;
  return watts > 0 ? positive : negative;
}

/** How many batteries there are, and their mean state of charge in percent (each counts the same). */
function batteriesOf(inverters) {
  const all = Object.values(inverters).filter((each) => known(each.battery_soc_percent) || known(each.battery_watts));
  const socs = all.map((each) => each.battery_soc_percent).filter(known);
  return { count: all.length, soc: socs.length ? socs.reduce((sum, each) => sum + each, 0) / socs.length : null };
}

function makeNode(name) {
  const { at: [x, y], icon: picture } = NODES[name];
  const value = s("text", { class: "value", x, y: y + 16, "text-anchor": "middle" });
  const below = name === "pv" ? -RADIUS - 10 : RADIUS + 18; // the line of the sun leaves it downwards
  const title = s("text", { class: "word", x, y: y + below, "text-anchor": "middle", text: t(`flow.${name}`) });
  const word = s("text", { class: "way", x, y: y + below + 17, "text-anchor": "middle" });
  const drawn = icon(picture, { x: x - 13, y: y - 32, width: 26, height: 26 });
  const unit = s("text", { class: "unit", x, y: y + 31, "text-anchor": "middle", text: "kW" });
  return { value, word, unit, node: s("g", { class: `node ${name}` }, s("circle", { cx: x, cy: y, r: RADIUS }), drawn, value, unit, title, word) };
}

/** The line between a node and the hub; its arrow stands in the middle and points along +x before it is turned. */
function makeLine(name) {
  const { at: [x, y] } = NODES[name];
  const length = Math.hypot(HUB[0] - x, HUB[1] - y);
  const [ux, uy] = [(HUB[0] - x) / length, (HUB[1] - y) / length];
  const from = [x + ux * (RADIUS + 2), y + uy * (RADIUS + 2)];
  const to = [HUB[0] - ux * (HUB_RADIUS + 2), HUB[1] - uy * (HUB_RADIUS + 2)];
  const middle = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
  const turned = (Math.atan2(uy, ux) * 180) / Math.PI;
  const path = s("line", { class: "pipe", x1: from[0], y1: from[1], x2: to[0], y2: to[1] });
  const moving = s("line", { class: "moving", x1: from[0], y1: from[1], x2: to[0], y2: to[1] });
  const arrow = s("path", { class: "arrow", d: "M-9,-12 L13,0 L-9,12 Z" });
  const turn = (inwards) => set(arrow, "transform", `translate(${middle[0]} ${middle[1]}) rotate(${inwards ? turned : turned + 180})`);
  return { node: s("g", { class: `line ${name}` }, path, moving, arrow), turn };
}

function updateLine(line, { watts, inwards }, largest) {
  const flowing = known(watts) && Math.abs(watts) >= NOTHING_WATTS;
  set(line.node, "data-flow", flowing ? (inwards ? "in" : "out") : known(watts) ? "none" : "unknown");
  line.node.style.setProperty("--width", flowing ? 3 + 6 * Math.min(Math.abs(watts) / largest, 1) : 2);
  line.turn(inwards);
}

/** The whole picture, with the same in one sentence for those who do not see it. */
export function flowPicture() {
  const lines = Object.fromEntries(Object.keys(NODES).map((name) => [name, makeLine(name)]));
  const nodes = Object.fromEntries(Object.keys(NODES).map((name) => [name, makeNode(name)]));
  const hub = s("g", { class: "hub" }, s("circle", { cx: HUB[0], cy: HUB[1], r: HUB_RADIUS }));
  const picture = s("svg", { class: "flow", viewBox: "0 0 400 400", role: "img" },
    ...Object.values(lines).map((each) => each.node), hub, ...Object.values(nodes).map((each) => each.node));
  function update(state) {
    const found = flows(state.site, state.inverters);
    const largest = Math.max(1000, ...Object.values(found).map(({ watts }) => (known(watts) ? Math.abs(watts) : 0)));
    const sentence = [];
    for (const [name, flow] of Object.entries(found)) {
      const more = known(flow.more) ? ` · ${percent(flow.more)}` : "";
      say(nodes[name].value, kwNumber(known(flow.watts) ? Math.abs(flow.watts) : null));
      const way = (flow.word ? t(flow.word) : "") + more;
      say(nodes[name].word, way);
      set(nodes[name].node, "data-flow", !known(flow.watts) ? "unknown" : Math.abs(flow.watts) < NOTHING_WATTS ? "none" : "some");
      updateLine(lines[name], flow, largest);
      sentence.push(`${t(`flow.${name}`)} ${kw(known(flow.watts) ? Math.abs(flow.watts) : null)} ${way}`.trim());
    }
    set(picture, "aria-label", sentence.join("; "));
  }
  return { node: h("figure", { class: "flow-figure" }, picture), update };
}
