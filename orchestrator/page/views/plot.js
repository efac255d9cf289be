// One picture of curves, drawn by uPlot in the colours of the page.

/* global uPlot */

import { number, zoneName } from "../code/format.js";
import { current } from "../code/texts.js";

const DAY_S = 86_400;
const DASHES = { pv: [], load: [2, 3], grid: [], battery: [8, 4], limit: [12, 3, 2, 3] };
const WIDTHS = { pv: 2, load: 2, grid: 2.5, battery: 2, limit: 1.5 };

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The words at the time axis: a date where a day begins or ticks are days apart, else the time of day. */
function axisTimes(splits, step_s) {
  const zone = zoneName();
  const date = new Intl.DateTimeFormat(current(), { timeZone: zone, day: "numeric", month: "short" });
  const clock = new Intl.DateTimeFormat(current(), { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return splits.map((at) => {
    const words = clock.format(at * 1000);
    return step_s >= DAY_S || words === "00:00" ? date.format(at * 1000) : words;
  });
}

function axes(unit) {
  const shared = { stroke: colour("--quiet"), font: "12px system-ui, sans-serif", grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
  return [
    { ...shared, space: 70, values: (_, splits, _axis, _space, step) => axisTimes(splits, step) },
    { ...shared, size: 46, values: (_, splits) => splits.map((value) => (unit === "%" ? number(value) : number(value, Number.isInteger(value) ? 0 : 1))), label: unit, labelSize: 16, labelGap: 0, labelFont: "12px system-ui, sans-serif" },
  ];
}

/** Draw into `place`; `close` takes it away. `onPoint(index)` is told which point the pointer is at, null: none. */
export function plot(place, { time, series, columns, height, unit, range, onPoint }) {
  const lines = series.map(({ key, kind, shown }) => ({
    label: key, show: shown, stroke: colour(`--${kind}`), width: WIDTHS[kind], dash: DASHES[kind], points: { show: false }, spanGaps: false,
    ...(kind === "pv" ? { fill: colour("--pv-soft") } : {}),
  }));
  const options = {
    width: Math.max(place.clientWidth, 200), height,
    tzDate: (at) => (zoneName() ? uPlot.tzDate(new Date(at * 1000), zoneName()) : new Date(at * 1000)),
    legend: { show: false }, cursor: { drag: { x: false, y: false }, y: false },
    scales: { y: range ? { range } : {} }, axes: axes(unit), series: [{}, ...lines],
    hooks: { setCursor: [(drawn) => onPoint?.(drawn.cursor.idx ?? null)] },
  };
  const drawn = new uPlot(options, [time, ...columns], place);
  const watcher = new ResizeObserver(() => {
    const width = place.clientWidth;
    if (width > 0 && width !== drawn.width) drawn.setSize({ width, height });
  });
  watcher.observe(place);
  return {
    show: (key, wanted) => drawn.setSeries(series.findIndex((each) => each.key === key) + 1, { show: wanted }),
    close: () => {
      watcher.disconnect();
      drawn.destroy();
    },
  };
}
