// The first visit: what is missing before anything can be decided, and what to do about it.

import { h, keyed, redraw, say, set } from "../code/dom.js";
import { troubleOf } from "../code/reasons.js";
import { t } from "../code/texts.js";

const METER = "meter";

function device(name) {
  const trouble = h("p", { class: "detail" });
  const node = h("li", {}, h("strong", { text: name === METER ? t("setup.meter") : name }), trouble);
  function update(item) {
    const why = troubleOf(item.why);
    say(trouble, why?.text ?? t("setup.no_answer_yet"));
    set(trouble, "lang", why?.lang ?? null);
  }
  return { node, update };
}

function steps(state, missing) {
  const kinds = [];
  if (missing.some((each) => each.what === METER)) kinds.push("meter");
  if (missing.some((each) => each.what !== METER)) kinds.push("inverter");
  const keys = kinds.length ? ["power", "address", "modbus", "single", "scan"] : ["wait"];
  return keys.map((key) => h("li", { text: t(`setup.steps.${key}`) }));
}

export function setup() {
  const summary = h("p");
  const list = h("ul", { class: "missing" });
  const todo = h("ol", { class: "todo" });
  const heading = h("h2", { id: "setup", tabindex: "-1", text: t("setup.title") });
  const node = h("section", { class: "card setup", "aria-labelledby": "setup" }, heading, summary, list, h("h3", { text: t("setup.todo") }), todo,
    h("p", { class: "quiet", text: t("setup.live") }));
  const showDevices = keyed(list, device);
  function update(state) {
    const missing = state.setup?.missing ?? [];
    say(summary, missing.length ? t("setup.missing", { n: missing.length }) : t("setup.nothing_missing"));
    showDevices(missing.map((each) => [each.what, each]));
    redraw(todo, missing.map((each) => each.what), () => steps(state, missing));
    set(node, "data-missing", missing.length);
  }
  return { node, update };
}
