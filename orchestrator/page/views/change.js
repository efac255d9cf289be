// Changing something: a setpoint by hand, a pause, release, reload. Only for those who have signed in.

import { change, isSignedIn, signOut } from "../code/api.js";
import { card, h, say, set, show } from "../code/dom.js";
import { moment } from "../code/format.js";
import { refusalOf, remarkOf, valueOf } from "../code/reasons.js";
import { t, tOr } from "../code/texts.js";
import { setpointForm } from "./setpoint_form.js";
import { confirmed, signInDialog } from "./sign_in.js";
import { durations, untilOf } from "./until.js";

const EXAMPLE = "page:\n  change_password_file: /etc/orchestrator/page.password";

function button(key, act, props = {}) {
  return h("button", { type: "button", text: t(key), ...props, on: { click: act } });
}

function howToAllow() {
  return card("change.read_only", h("p", { text: t("change.read_only_why") }), h("pre", {}, h("code", { text: EXAMPLE })), h("p", { text: t("change.read_only_then") }));
}

function manualWords(setpoint) {
  const asked = Object.entries(setpoint).filter(([name, value]) => !["valid_until", "time"].includes(name) && value !== null);
  return asked.map(([name, value]) => `${tOr(`fields.${name}.name`, name)} ${valueOf(name, value)}`).join(", ");
}

export function changeView(_subject, context) {
  const answer = h("p", { class: "answer", role: "status" });
  const dialog = signInDialog(() => { context.reopen(); draw(); });
  const setpoint = setpointForm((body) => run("POST", "setpoint", body, "change.done.setpoint"));
  const pauseLength = durations("pause-length");
  const readOnly = howToAllow();
  const signIn = card("change.sign_in", h("p", { text: t("change.sign_in_why") }), button("change.sign_in", () => dialog.open(), { class: "primary" }));
  const now = h("p", { class: "plan" });
  const withdraw = button("change.withdraw", () => run("DELETE", "setpoint", undefined, "change.done.withdraw"));
  const endPause = button("change.end_pause", () => run("DELETE", "pause", undefined, "change.done.end_pause"));
  const startPause = button("change.start_pause", () => run("POST", "pause", { for_s: untilOf(pauseLength.value()).for_s }, "change.done.pause"));
  const release = button("change.release", () => confirmed(t("change.release_sure"), t("change.release")).then((sure) => sure && run("POST", "release", {}, "change.done.release")), { class: "grave" });
  const resume = button("change.resume", () => run("POST", "resume", {}, "change.done.resume"), { class: "primary" });
  const reload = button("change.reload", () => run("POST", "reload", {}, "change.done.reload"));
  const manual = h("p", { class: "quiet" });
  const forms = h("div", { class: "columns" },
    card("change.setpoint", h("p", { text: t("change.setpoint_what") }), manual, withdraw, setpoint.node),
    h("div", { class: "column" },
      card("change.pause", h("p", { text: t("change.pause_what") }), pauseLength.node, h("p", { class: "actions" }, startPause, endPause)),
      card("change.release_title", h("p", { text: t("change.release_what") }), h("p", { class: "actions" }, release, resume)),
      card("change.reload_title", h("p", { text: t("change.reload_what") }), reload),
      h("p", {}, button("change.sign_out", () => { signOut(); context.reopen(); draw(); }))));
  const heading = h("h2", { class: "big", tabindex: "-1", text: t("change.title") });
  const node = h("div", { class: "change" }, heading, now, answer, readOnly, signIn, forms, dialog.node);
  let latest = null;

  function tell(words, good) {
    set(answer, "data-good", String(good));
    say(answer, words);
  }

  async function run(method, path, body, done) {
    tell(t("change.asking"), true);
    try {
      const said = await change(method, path, body);
      const list = (said?.why?.map(remarkOf) ?? said?.changes ?? []).join("; ");
      tell(list ? `${t(done)} ${list}` : t(done), true);
    } catch (refused) {
      tell(t("change.refused", { why: refusalOf(refused) }), false);
      if (refused.status === 401) dialog.open();
    }
    draw();
  }

  function draw() {
    if (!latest) return;
    const closed = latest.read_only_why === "no_token_configured";
    show(readOnly, closed);
    show(signIn, !closed && !isSignedIn());
    show(forms, !closed && isSignedIn());
    const control = latest.control ?? "running";
    say(now, t(`change.now.${control}`, { until: latest.control_until ? moment(latest.control_until) : "?" }));
    show(endPause, control === "paused");
    show(release, control !== "released");
    show(resume, control === "released");
    const mine = Boolean(latest.manual);
    show(withdraw, mine);
    show(manual, mine);
    say(manual, mine ? t("change.manual_holds", { fields: manualWords(latest.manual), until: moment(latest.manual.valid_until) }) : "");
  }

  return { title: t("page.change"), node, update: (state) => { latest = state; draw(); }, close: dialog.close };
}
