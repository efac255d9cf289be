// The frame of the page: head, notices, one view at a time by its address, and the state that they all show.

import { changeView } from "../views/change.js";
import { eventsView } from "../views/events.js";
import { inverterView } from "../views/inverter.js";
import { ledgerView } from "../views/ledger.js";
import { notices } from "../views/notices.js";
import { signInDialog } from "../views/sign_in.js";
import { siteView } from "../views/site.js";
import { h, icon, redraw, say, set, show } from "./dom.js";
import { moment, useZone } from "./format.js";
import { listen } from "./stream.js";
import { LANGUAGES, choose, current, kept, loadTexts, t } from "./texts.js";

const VIEWS = { "": siteView, inverter: inverterView, ledger: ledgerView, events: eventsView, change: changeView };
const MOST_EVENTS = 200;
const STUCK_MS = 15_000; // and at least five decisions: so long nothing new may come while the connection lives

const told = { state: null, at: 0, events: [], link: { live: true, since: null }, aheadMs: 0 };
const context = {
  now: () => Date.now() + told.aheadMs,
  events: () => told.events,
  reopen: () => reopen(),
};
let frame = null;
let view = null;
let reopen = () => {};

function route() {
  const [name = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  let subject = rest.join("/");
  try {
    subject = decodeURIComponent(subject);
  } catch {
    // an address that was typed wrong is shown as it is
  }
  return { name: Object.hasOwn(VIEWS, name) ? name : "", subject };
}

function link(name, key) {
  return h("a", { href: `#/${name}`, "data-view": name, text: t(key) });
}

function languages() {
  const options = Object.entries(LANGUAGES).map(([name, words]) => h("option", { value: name, lang: name, text: words, selected: name === current() }));
  const change = (event) => {
    choose(event.target.value, true);
    build();
    frame.language.focus();
  };
  return h("select", { class: "language", "aria-label": t("page.language"), on: { change } }, ...options);
}

function makeFrame() {
  const name = h("a", { href: "#/", class: "name" });
  const mode = h("span", { class: "mode" });
  const linkState = h("span", { class: "link" });
  const nav = h("nav", { "aria-label": t("page.pages") },
    link("", "page.site"), link("events", "page.events"), link("ledger", "page.ledger"), link("change", "page.change"));
  const language = languages();
  const noticePlace = h("div", { class: "notices", "aria-live": "polite" });
  const main = h("main", { id: "main", tabindex: "-1" });
  const version = h("span");
  const skip = h("a", { href: "#main", class: "skip", text: t("page.skip"), on: { click: (event) => { event.preventDefault(); main.focus(); } } });
  const head = h("header", { class: "head" }, h("div", { class: "title" }, h("h1", {}, name), mode, linkState), nav, language);
  const foot = h("footer", {}, version, h("a", { href: "api/v1/openapi.json", text: t("page.api") }));
  document.getElementById("app").replaceChildren(skip, head, noticePlace, main, foot);
  return { name, mode, linkState, nav, language, noticePlace, main, version };
}

/** Make everything anew, in the language of now. */
function build() {
  frame = makeFrame();
  open(false);
}

/** Show the view that the address names. */
function open(focus = true) {
  const { name, subject } = route();
  view?.close?.();
  view = VIEWS[name](subject, context);
  frame.main.replaceChildren(view.node);
  for (const each of frame.nav.children) set(each, "aria-current", each.dataset.view === name ? "page" : null);
  update();
  if (!focus) return;
  window.scrollTo(0, 0);
  const heading = view.node.querySelector("h2");
  (heading ?? frame.main).focus({ preventScroll: true });
}

function modeOf(state) {
  if (!state) return "unknown";
  if (state.control === "released" || state.control === "paused") return state.control;
  if (!state.site || state.site.mode === "waiting") return "waiting";
  if (state.site.mode === "failsafe") return "failsafe";
  return state.shadow ? "shadow" : state.site.mode;
}

function updateHead() {
  const { state, link: { live, since } } = told;
  const title = state?.name ?? t("page.product");
  say(frame.name, title);
  const page = view.title ? `${view.title} · ` : "";
  document.title = `${live ? "" : "⚠ "}${page}${title}`;
  const mode = modeOf(state);
  set(frame.mode, "data-mode", mode);
  say(frame.mode, t(`modes.${mode}.name`));
  set(frame.linkState, "data-live", String(live));
  redraw(frame.linkState, [live, since, current()], () => (live
    ? [h("span", { class: "dot", "aria-hidden": "true" }), h("span", { text: t("link.live") })]
    : [icon("offline"), h("span", { text: t("link.lost", { at: moment(since, { seconds: true }) }) })]));
  say(frame.version, state ? `${t("page.product")} ${state.version ?? ""}` : t("page.product"));
  show(frame.linkState, state !== null || !live);
}

/** Since when nothing was decided, in ms, although the server answers; null while it decides. */
function stuckSince() {
  const { state, at, link: { live } } = told;
  if (!live || !state?.site) return null;
  return Date.now() - at > Math.max(STUCK_MS, 5000 * state.interval_s) ? at : null;
}

function update() {
  const { state, link: { live, since } } = told;
  const stuck = stuckSince();
  updateHead();
  document.body.classList.toggle("stale", !live || stuck !== null);
  const { name, subject } = route();
  notices(frame.noticePlace, state, { live, since, stuck, shown: name === "inverter" ? subject : null });
  if (state) view.update(state);
}

/** Put the reasons with their facts where the words of them are. */
function withReasons(state) {
  if (state.site) state.site.why = state.why?.site;
  for (const [name, inverter] of Object.entries(state.inverters ?? {})) {
    if (inverter.command) inverter.command.why = state.why?.inverters?.[name];
  }
  return state;
}

function takeState(state) {
  const first = told.state === null;
  takeEvents(state.events ?? []);
  told.state = withReasons(state);
  told.at = Date.now();
  told.aheadMs = Date.parse(state.time) - Date.now() || 0;
  useZone(state.timezone);
  if (first && kept() === null && state.language in LANGUAGES && state.language !== current()) {
    choose(state.language);
    build();
    return;
  }
  update();
}

/** Newest first; those that are known already are left out, so that nothing is missed or doubled after a gap. */
function takeEvents(events) {
  const key = ({ time, event, subject, detail }) => [time, event, subject, detail].join("\n");
  const known = new Set(told.events.map(key));
  const fresh = events.filter((each) => !known.has(key(each)));
  told.events = [...fresh, ...told.events].slice(0, MOST_EVENTS);
}

function takeEvent(event) {
  takeEvents([event]);
  if (told.state) update();
}

/** The server wants to know who reads: ask for a token, and read on with it. */
function askWhoReads() {
  if (document.querySelector("dialog[open]")) return;
  const dialog = signInDialog(() => { dialog.node.remove(); reopen(); open(false); }, { toRead: true });
  document.body.append(dialog.node);
  dialog.open();
}

await loadTexts();
build();
window.addEventListener("hashchange", () => open());
setInterval(() => {
  if (!told.state) return;
  view.tick?.(told.state);
  if (stuckSince() !== null) update();
}, 1000);
reopen = listen({
  onClosed: askWhoReads,
  onState: takeState,
  onEvent: takeEvent,
  onLink: (state) => {
    told.link = state;
    update();
  },
});
