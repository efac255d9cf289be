// Why something was decided, in the reader's language: the words of a code filled with its facts, as the log says them.

import { Refused } from "./api.js";
import { kw, moment, percent, plain } from "./format.js";
import { current, ofMake, t, tOr } from "./texts.js";

const OPTIONAL = /\[([^\]]*)\]/;
const FACT = /\{(\w+)\}/g;
const POWER = /\{(\w*watts)\} W\b/g; // shown in kW, as everywhere on the page

/** A value of a field in words: 5.00 kW, 20 %, yes, no, a mode. */
export function valueOf(name, value) {
  if (value === null || value === undefined) return t("limits.unlimited");
  if (typeof value === "boolean") return t(value ? "limits.yes" : "limits.no");
  if (name.endsWith("_watts") && typeof value === "number") return kw(value);
  if (name.endsWith("_percent") && typeof value === "number") return percent(value);
  return tOr(`values.${name}.${value}`, String(value));
}

const missing = (fact) => fact === null || fact === undefined || fact === "";

function said(name, fact, facts) {
  const meant = facts[`${name}_why`]; // words of ours, as a value
  if (meant) return said(name, meant, {});
  if (name === "value" || (name === "before" && facts.field)) return valueOf(facts.field, fact);
  if (Array.isArray(fact)) return fact.map(words).join("; ");
  if (fact !== null && typeof fact === "object") return words(fact);
  if (typeof fact === "number") return plain(/watts/.test(name) ? Math.round(fact) : fact);
  if (name === "source") return source(fact);
  if (name === "because") return ofMake(fact);
  if (name === "side") return tOr(`sides.${fact}`, String(fact));
  if (name === "field" || name === "limit") return tOr(`fields.${fact}.name`, String(fact));
  if (name === "mode" || name === "before") return t("modes.quoted", { name: tOr(`modes.${fact}.name`, String(fact)) });
  if (name === "who") return tOr(`who.${String(fact).replaceAll(" ", "_")}`, String(fact));
  if (name === "until" || name === "now") return moment(fact);
  if (name === "kind") return tOr(`kinds.${fact}`, String(fact));
  return String(fact);
}

function fill(template, facts) {
  return template.replace(POWER, (all, name) => kw(facts[name])).replace(FACT, (all, name) => said(name, facts[name], facts));
}

const CODE = /`([^`]+)`/g; // a key or a command, as the log marks it

function words(reason) {
  const template = tOr(`reasons.${reason.code}`, null);
  if (template === null) return reason.code;
  const facts = reason.values ?? {};
  const quoted = template.replace(CODE, (all, name) => t("modes.quoted", { name }));
  return quoted.split(OPTIONAL).map((part, place) => {
    const needs = [...part.matchAll(FACT)].map((match) => match[1]);
    return place % 2 === 0 || needs.every((name) => !missing(facts[name])) ? fill(part, facts) : "";
  }).join("");
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The reasons of a site or a command: [{text, lang}]. Without their facts, the server's English words. */
export function reasonsOf(told) {
  if (Array.isArray(told?.why)) return told.why.map((reason) => ({ text: capital(words(reason)), lang: current() }));
  return (told?.reasons ?? []).map((text) => ({ text: capital(text), lang: "en" }));
}

const AS_SAID = "as_said"; // the words of a device or of another program

/** Why a device does not answer: {text, lang}; null where nobody knows. `within`: inside a sentence. */
export function troubleOf(why, { within = false } = {}) {
  if (!why) return null;
  const text = words(why);
  return { text: within ? text : capital(text), lang: why.code === AS_SAID ? "en" : current() };
}

/** What `check` warns of, a scan says or a reload has changed: it may begin with a key or an address, which stays as it is written. */
export const remarkOf = (why) => words(why);

/** A reason as a sentence: what an event says of itself. */
export const sentenceOf = (reason) => capital(words(reason));

const IMPLAUSIBLE = "implausible_"; // and a register behind it, which only its make's file knows

/** What an inverter says of a reading that is not believed. */
export function faultOf(name) {
  const otherwise = name.startsWith(IMPLAUSIBLE) ? t("faults.implausible", { what: t("modes.quoted", { name: name.slice(IMPLAUSIBLE.length) }) }) : name;
  return tOr(`faults.${name}`, otherwise);
}

const DEFAULT_OF = "default of "; // and a source: what it asks for while it is silent

/** Why a request came to nothing. What only words say (a mistake in site.yaml, a proxy) stays as it was said. */
export function refusalOf(error) {
  if (!(error instanceof Refused)) return t("page.unreachable");
  return tOr(`reasons.${error.why?.code}`, null) === null ? error.message : words(error.why);
}

/** Who asked for something, in words. */
export function source(name) {
  if (name?.startsWith(DEFAULT_OF)) return t("sources.default_of", { source: source(name.slice(DEFAULT_OF.length)) });
  return tOr(`sources.${name}`, name ?? t("sources.unknown"));
}
