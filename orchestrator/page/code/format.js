// Numbers, times and durations for people. What is unknown is a dash, never a zero.

import { current, t } from "./texts.js";

export const UNKNOWN = "–";
const THIN = "\u00a0";
let zone;

/** Show times in this time zone (that of the site). */
export function useZone(name) {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    zone = name;
  } catch {
    zone = undefined; // the browser does not know it: its own
  }
}

const known = (value) => typeof value === "number" && Number.isFinite(value);

function decimals(value, digits) {
  const text = new Intl.NumberFormat(current(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return text.format(Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value).replace("-", "\u2212");
}

/** Watts as kilowatts without the unit: 1.23, 12.3, 123. */
export function kwNumber(watts) {
  if (!known(watts)) return UNKNOWN;
  const kw = watts / 1000;
  return decimals(kw, Math.abs(kw) < 9.995 ? 2 : Math.abs(kw) < 99.95 ? 1 : 0);
}

export const kw = (watts) => (known(watts) ? `${kwNumber(watts)}${THIN}kW` : UNKNOWN);
/** Energy in kWh; little of it in Wh, so that it is not shown as nothing. */
export function kwh(watt_hours) {
  if (!known(watt_hours)) return UNKNOWN;
  return Math.abs(watt_hours) < 100 ? `${decimals(watt_hours, 1)}${THIN}Wh` : `${kwNumber(watt_hours)}${THIN}kWh`;
}
export const percent = (value) => (known(value) ? `${decimals(value, 0)}${THIN}%` : UNKNOWN);
export const number = (value, digits = 0) => (known(value) ? decimals(value, digits) : UNKNOWN);
export const plain = (value) => new Intl.NumberFormat(current(), { maximumFractionDigits: 2 }).format(value);

/** A duration in its two largest units. */
export function duration(seconds) {
  if (!known(seconds)) return UNKNOWN;
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("units.s", { n: whole });
  if (whole < 3570) return t("units.min", { n: Math.round(whole / 60) });
  const hours = Math.floor(Math.round(whole / 60) / 60);
  const minutes = Math.round(whole / 60) % 60;
  if (hours < 48) return minutes ? `${t("units.h", { n: hours })} ${t("units.min", { n: minutes })}` : t("units.h", { n: hours });
  return t("units.d", { n: Math.round(hours / 24) });
}

const day = (date) => new Intl.DateTimeFormat("en", { timeZone: zone, dateStyle: "short" }).format(date);

/** The time of day; with the date where that is not today. `at` is RFC 3339, a Date or milliseconds. */
export function moment(at, { seconds = false, now = Date.now() } = {}) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return UNKNOWN;
  const clock = { hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" } : {}) };
  const calendar = day(date) === day(new Date(now)) ? {} : { day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(current(), { timeZone: zone, hourCycle: "h23", ...calendar, ...clock }).format(date);
}

export const zoneName = () => zone;
