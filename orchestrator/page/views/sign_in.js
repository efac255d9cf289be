// The dialogs: the password or token that allows changes, and "are you sure".

import { signIn } from "../code/api.js";
import { h, say, show } from "../code/dom.js";
import { refusalOf } from "../code/reasons.js";
import { t } from "../code/texts.js";

/** `done` is called once somebody has signed in. */
export function signInDialog(done, { toRead = false } = {}) {
  const secret = h("input", { type: "password", id: "secret", name: "password", autocomplete: "current-password", required: true });
  const wrong = h("p", { class: "answer", "data-good": "false", role: "alert", hidden: true });
  const cancel = h("button", { type: "button", text: t("change.cancel"), on: { click: () => node.close() } });

  async function submit(event) {
    event.preventDefault();
    show(wrong, false);
    try {
      await signIn(secret.value, { toRead });
      node.close();
      done();
    } catch (refused) {
      say(wrong, t("change.not_signed_in", { why: refusalOf(refused) }));
      show(wrong, true);
      secret.select();
    }
  }

  const form = h("form", { on: { submit } }, h("h2", { id: "sign-in-title", text: t("change.sign_in") }),
    h("div", { class: "field" }, h("label", { for: "secret", text: t("change.secret") }), secret), h("p", { class: "quiet", text: t("change.secret_where") }), wrong,
    h("p", { class: "actions" }, h("button", { class: "primary", text: t("change.sign_in") }), cancel));
  const node = h("dialog", { "aria-labelledby": "sign-in-title" }, form);
  node.addEventListener("close", () => { secret.value = ""; show(wrong, false); });
  return { node, open: () => { if (!node.open) node.showModal(); secret.focus(); }, close: () => node.open && node.close() };
}

/** Ask whether it is meant; true where it is. */
export function confirmed(question, yes) {
  return new Promise((answer) => {
    const choice = (value, text, props) => h("button", { type: "button", text, ...props, on: { click: () => node.close(value) } });
    const node = h("dialog", { "aria-label": question },
      h("p", { text: question }),
      h("p", { class: "actions" }, choice("yes", yes, { class: "grave" }), choice("no", t("change.cancel"), { autofocus: true })));
    node.addEventListener("close", () => { node.remove(); answer(node.returnValue === "yes"); });
    document.body.append(node);
    node.showModal();
  });
}
