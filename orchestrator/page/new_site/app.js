// The page that makes a site.yaml: one step after the other, what they share, and the way between them.

import { Refused, change, get, isSignedIn, signInWith } from "../code/api.js";
import { h, say, set, show } from "../code/dom.js";
import { refusalOf } from "../code/reasons.js";
import { LANGUAGES, choose, current, loadTexts, t, tOr } from "../code/texts.js";
import { answersOf, newDraft, stepOf } from "./answers.js";
import { fileStep } from "./file.js";
import { findStep } from "./find.js";
import { invertersStep } from "./inverters.js";
import { limitsStep } from "./limits.js";
import { meterStep } from "./meter.js";
import { siteStep } from "./site.js";

const STEPS = { find: findStep, inverters: invertersStep, meter: meterStep, limits: limitsStep, site: siteStep, file: fileStep };
const NAMES = Object.keys(STEPS);
const TOKEN = /^#token=([\w-]+)$/;

const context = { state: null, draft: newDraft(), refresh, refused, fine, answers: () => answersOf(context.draft, context.state) };
let step = "find";
let view = null;
let frame = null;

/** Ask what is known. */
async function refresh() {
  context.state = await get("setup");
  view?.update?.(context.state);
  foot();
}

/** Nothing is wrong any more. */
function fine() {
  for (const each of frame.main.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  show(frame.wrong, false);
}

/** Say what is wrong, beside the field where it is known. */
function refused(error) {
  const field = error instanceof Refused ? error.field : null;
  const name = field ? field.replace(/\.\d+\./, ".") : null;
  const words = !(error instanceof Refused) ? t("new_site.gone") : name ? wordsOf(name, error) : refusalOf(error);
  fine();
  const place = field ? frame.main.querySelector(`[data-field="${CSS.escape(field)}"]`) : null;
  if (place) {
    set(place, "aria-invalid", "true");
    place.focus();
  }
  say(frame.wrong, words);
  show(frame.wrong, true);
}

function wordsOf(name, error) {
  return tOr(`new_site.wrong.${name.replace(".", "_")}`, null) ?? refusalOf(error);
}

/** The rules of the file are asked of the server, so that they stand in one place. */
async function next() {
  fine();
  if (step !== "find") {
    try {
      await change("POST", "setup/draft", context.answers());
    } catch (error) {
      const at = error instanceof Refused && error.field ? NAMES.indexOf(stepOf(error.field)) : -1;
      if (!(error instanceof Refused) || at < 0 || at <= NAMES.indexOf(step)) {
        if (at >= 0 && NAMES[at] !== step) go(NAMES[at]);
        refused(error);
        return;
      }
    }
  }
  go(NAMES[NAMES.indexOf(step) + 1]);
}

function go(name) {
  step = name;
  open();
  window.scrollTo(0, 0);
  view.node.querySelector("h2")?.focus({ preventScroll: true });
}

function foot() {
  const place = NAMES.indexOf(step);
  show(frame.back, place > 0 && !context.state?.written);
  show(frame.next, place < NAMES.length - 1);
  show(frame.actions, !context.state?.written);
  frame.next.disabled = Boolean(view?.isBusy?.()) || (step === "find" && !context.state?.inverters.length);
  NAMES.forEach((name, at) => {
    set(frame.steps[at], "aria-current", name === step ? "step" : null);
    set(frame.steps[at], "data-done", at < place ? "yes" : null);
  });
}

function open() {
  view?.close?.();
  view = STEPS[step](context);
  frame.place.replaceChildren(view.node);
  fine();
  view.update?.(context.state);
  foot();
  view.opened?.();
}

function languages() {
  const options = Object.entries(LANGUAGES).map(([name, words]) => h("option", { value: name, lang: name, text: words, selected: name === current() }));
  const chosen = (event) => {
    choose(event.target.value, true);
    build();
    frame.language.focus();
  };
  return h("select", { class: "language", "aria-label": t("page.language"), on: { change: chosen } }, ...options);
}

function makeFrame() {
  document.title = `${t("new_site.title")} · ${t("page.product")}`;
  const language = languages();
  const steps = NAMES.map((name) => h("li", { text: t(`new_site.steps.${name}`) }));
  const place = h("div");
  const wrong = h("p", { class: "answer", "data-good": "false", role: "alert", hidden: true });
  const back = h("button", { type: "button", text: t("new_site.back"), on: { click: () => go(NAMES[NAMES.indexOf(step) - 1]) } });
  const forward = h("button", { type: "button", class: "primary", text: t("new_site.next"), on: { click: next } });
  const actions = h("div", { class: "foot-actions" }, back, forward);
  const main = h("main", { id: "main", class: "new-site", tabindex: "-1" },
    h("p", { text: t("new_site.intro") }), h("ol", { class: "steps", "aria-label": t("new_site.way") }, ...steps), place, wrong, actions);
  main.addEventListener("input", fine);
  const skip = h("a", { href: "#main", class: "skip", text: t("page.skip"), on: { click: (event) => { event.preventDefault(); main.focus(); } } });
  const head = h("header", { class: "head" }, h("div", { class: "title" }, h("h1", { text: t("new_site.title") })), language);
  document.getElementById("app").replaceChildren(skip, head, main);
  return { language, steps, place, wrong, back, next: forward, actions, main };
}

/** Make everything anew, in the language of now. */
function build() {
  frame = makeFrame();
  if (context.state) open();
  else askForToken();
}

/** Without the address that the terminal shows: its token may be typed. */
function askForToken() {
  const secret = h("input", { type: "password", id: "secret", autocomplete: "off", required: true });
  const submit = async (event) => {
    event.preventDefault();
    signInWith(secret.value.trim().replace(/^.*#token=/, ""));
    await begin();
  };
  const form = h("form", { class: "card step", on: { submit } }, h("h2", { tabindex: "-1", text: t("new_site.token.title") }), h("p", { text: t("new_site.token.where") }),
    h("div", { class: "field" }, h("label", { for: "secret", text: t("new_site.token.label") }), secret), h("button", { class: "primary", text: t("new_site.token.go") }));
  frame.place.replaceChildren(form);
  show(frame.actions, false);
}

async function begin() {
  try {
    await refresh();
    build();
  } catch (error) {
    build();
    if (error instanceof Refused && error.status === 401) {
      say(frame.wrong, t("new_site.token.wrong"));
      show(frame.wrong, true);
    } else refused(error);
  }
}

await loadTexts();
const given = TOKEN.exec(location.hash);
if (given) {
  signInWith(given[1]);
  history.replaceState(null, "", location.pathname); // it is not to be seen over a shoulder, or kept as a bookmark
}
frame = makeFrame();
if (isSignedIn()) await begin();
else askForToken();
