// The words of the page in the language of its reader. `t("happened.meter_silent.title")` finds them in texts/<language>.json.

export const LANGUAGES = { en: "English", de: "Deutsch" };
const KEPT = "orchestrator.language";
const books = {};
let language = "en";

/** Load every language: they are small, and switching needs no network then. */
export async function loadTexts() {
  await Promise.all(Object.keys(LANGUAGES).map(async (name) => {
    const answer = await fetch(`page/texts/${name}.json`);
    books[name] = await answer.json();
  }));
  choose(kept() ?? preferred());
}

/** Whether somebody has chosen a language on this device. */
export function kept() {
  try {
    const name = localStorage.getItem(KEPT);
    return name in LANGUAGES ? name : null;
  } catch {
    return null; // storage may be forbidden
  }
}

function preferred() {
  return navigator.languages.map((each) => each.slice(0, 2)).find((each) => each in LANGUAGES) ?? "en";
}

/** Use this language from now on; `keep` remembers it on this device. */
export function choose(name, keep = false) {
  if (!(name in LANGUAGES)) return;
  language = name;
  document.documentElement.lang = name;
  if (!keep) return;
  try {
    localStorage.setItem(KEPT, name);
  } catch {
    // storage may be forbidden: it holds until the page is closed
  }
}

export const current = () => language;

function found(key) {
  let place = books[language];
  for (const part of key.split(".")) {
    if (!place || !Object.hasOwn(place, part)) return undefined;
    place = place[part];
  }
  return typeof place === "string" ? place : undefined;
}

/** The words of `key` with `{facts}` filled in; without words the key itself, so that nothing is lost. */
export function t(key, facts = {}) {
  return (found(key) ?? key).replace(/\{(\w+)\}/g, (all, name) => (Object.hasOwn(facts, name) ? facts[name] : all));
}

/** The words of `key`, or `otherwise` where there are none. */
export function tOr(key, otherwise) {
  return found(key) ?? otherwise;
}

/** What the file of a make says, found by its English words: a make of one's own may have them, or words of its own, which stay. */
export function ofMake(words) {
  for (const [make, rows] of Object.entries(books.en.makes)) {
    const key = Object.keys(rows).find((each) => rows[each] === words);
    if (key !== undefined) return t(`makes.${make}.${key}`);
  }
  return words;
}
