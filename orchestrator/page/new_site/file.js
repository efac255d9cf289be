// Step 6: the file as it will be, written only by who says so; then the site is started, in shadow mode.

import { change, signOut } from "../code/api.js";
import { h, redraw, say, set, show } from "../code/dom.js";
import { remarkOf } from "../code/reasons.js";
import { current, t } from "../code/texts.js";
import { stepCard, tick } from "./fields.js";

const LOOK_EVERY_MS = 1000;
const OWN = "new_site/app.js"; // what this page has and that of a site has not
const PATIENCE_MS = 120_000;

export function fileStep(context) {
  const choice = { replace: false };
  const text = h("code");
  const shown = h("pre", { class: "text", tabindex: "0", role: "region", "aria-label": t("new_site.file.text") }, text);
  const hintList = h("ul", { class: "todo" });
  const hints = h("details", { hidden: true }, h("summary", { text: t("new_site.file.warnings") }), hintList);
  const where = h("p");
  const replace = h("div");
  const write = h("button", { type: "button", class: "primary", text: t("new_site.file.write"), on: { click: save } });
  const done = h("p", { class: "answer", "data-good": "true", role: "status" });
  const then = h("p", { hidden: true });
  const command = h("pre", { class: "command", hidden: true }, h("code"));
  const start = h("button", { type: "button", class: "primary", text: t("new_site.file.start"), hidden: true, on: { click: run } });
  const node = stepCard("file", where, shown, hints, replace, write, done, start, then, command);
  let body = null;

  async function draft() {
    try {
      body = context.answers();
      const made = await change("POST", "setup/draft", body);
      say(text, made.text);
      redraw(hintList, [made.why, current()], () => made.why.map((each) => h("li", { text: remarkOf(each) })));
      show(hints, made.why.length > 0);
    } catch (error) {
      show(write, false);
      context.refused(error);
    }
  }

  async function save() {
    write.disabled = true;
    try {
      await change("POST", `setup/file${choice.replace ? "?replace=yes" : ""}`, body);
      await context.refresh();
    } catch (error) {
      context.refused(error);
    }
    write.disabled = false;
  }

  async function run() {
    start.disabled = true;
    try {
      await change("POST", "setup/start", {});
      signOut();
      say(done, t("new_site.file.starting"));
      await arrive();
    } catch (error) {
      start.disabled = false;
      context.refused(error);
    }
  }

  /** This server ends, and the one of the site begins at the same place. */
  async function arrive() {
    const end = Date.now() + PATIENCE_MS;
    while (Date.now() < end) {
      await new Promise((go) => setTimeout(go, LOOK_EVERY_MS));
      const page = await fetch(".", { cache: "no-store" }).then((answer) => answer.text(), () => OWN);
      if (!page.includes(OWN)) {
        location.replace(location.pathname);
        return;
      }
    }
    say(done, t("new_site.file.not_started"));
    set(done, "data-good", "false");
  }

  function update({ file, file_is_there, would_be_kept_as, written }) {
    say(where, t(written ? "new_site.file.made" : "new_site.file.where", { file }));
    redraw(replace, [file_is_there, written], () => (file_is_there && !written
      ? [h("p", { class: "hint", text: t("new_site.file.is_there", { file }) }), tick(choice, "replace", { label: t("new_site.file.replace", { kept: would_be_kept_as }) })] : []));
    show(write, !written);
    show(start, written?.shadow);
    show(then, Boolean(written));
    show(command, Boolean(written));
    if (!written) return;
    say(done, written.kept ? t("new_site.file.written_kept", { file, kept: written.kept }) : t("new_site.file.written", { file }));
    say(then, t(written.shadow ? "new_site.file.then_shadow" : "new_site.file.then_control"));
    say(command.firstChild, `orchestrator run ${file}`);
  }

  return { node, update, opened: () => { if (!context.state.written) draft(); } };
}
