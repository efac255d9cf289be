// Step 1: look for devices in a network, at an address or on a serial line, and show what has answered.

import { change } from "../code/api.js";
import { h, redraw, say, set, show } from "../code/dom.js";
import { remarkOf, sentenceOf } from "../code/reasons.js";
import { current, t, tOr } from "../code/texts.js";
import { stepCard, textField } from "./fields.js";

const LOOK_EVERY_MS = 500;
const TROUBLES = ["stopped", "failed"];

function deviceItem(device) {
  const kind = t(`new_site.kinds.${device.kind}`);
  const serial = device.serial ? t("new_site.find.serial", { serial: device.serial }) : t("new_site.find.no_serial");
  return h("li", {}, h("strong", { text: device.title }), h("span", { class: "detail", text: `${kind}, ${device.address}, ${serial}` }));
}

export function findStep(context) {
  const { draft } = context;
  draft.target ??= context.state.network;
  const where = textField(draft, "target", { label: t("new_site.find.where"), help: t("new_site.find.where_help") });
  const begin = h("button", { class: "primary", text: t("new_site.find.begin") });
  const stop = h("button", { type: "button", text: t("new_site.find.stop"), hidden: true, on: { click: () => act("DELETE") } });
  const bar = h("progress", { "aria-label": t("new_site.find.progress"), max: 1, value: 0 });
  const far = h("p", { class: "detail" });
  const running = h("div", { hidden: true }, bar, far);
  const said = h("p", { role: "status" });
  const nothing = h("ul", { class: "todo", hidden: true }, ...["modbus", "network", "single", "address"].map((key) => h("li", { text: t(`new_site.find.todo.${key}`) })));
  const list = h("ul", { class: "found", "aria-label": t("new_site.find.found_list") });
  const remarkList = h("ul", { class: "todo" });
  const remarks = h("details", { hidden: true }, h("summary", { text: t("new_site.find.remarks") }), remarkList);
  const form = h("form", { class: "step", on: { submit: (event) => { event.preventDefault(); act("POST", { target: draft.target }); } } }, where, h("p", { class: "actions" }, begin, stop));
  const node = stepCard("find", h("p", { text: t("new_site.find.what") }), form, running, said, nothing, list, remarks);
  let timer = null;

  async function act(method, body) {
    context.fine();
    try {
      await change(method, "setup/search", body);
      await context.refresh();
    } catch (error) {
      context.refused(error);
    }
  }

  async function look() {
    timer = null;
    try {
      await context.refresh();
    } catch (error) {
      context.refused(error);
    }
  }

  function sum({ search, inverters, meters }) {
    if (!search || search.running) return "";
    if (search.trouble_why) return sentenceOf(search.trouble_why);
    if (search.trouble) return TROUBLES.includes(search.trouble) ? t(`new_site.find.${search.trouble}`) : tOr(`new_site.find.${search.trouble}`, search.trouble);
    if (!inverters.length && !meters.length) return t("new_site.find.nothing", { target: search.target });
    const counted = { inverters: inverters.length, meters: meters.filter((each) => !each.is_behind).length };
    return t(inverters.length ? "new_site.find.found" : "new_site.find.no_inverter", counted);
  }

  function update(state) {
    const { search, inverters, meters } = state;
    const isRunning = Boolean(search?.running);
    show(running, isRunning);
    show(stop, isRunning);
    show(begin, !isRunning);
    if (isRunning) {
      set(bar, "max", Math.max(search.steps, 1));
      bar.value = search.done;
      say(far, t("new_site.find.far", search));
      timer ??= setTimeout(look, LOOK_EVERY_MS);
    }
    say(said, sum(state));
    show(nothing, Boolean(search) && !isRunning && !inverters.length);
    const devices = [...inverters, ...meters.filter((each) => !each.is_behind)];
    redraw(list, [devices, current()], () => devices.map(deviceItem));
    redraw(remarkList, [state.remarks, current()], () => state.remarks.map(({ why }) => h("li", { text: remarkOf(why) })));
    show(remarks, !isRunning && state.remarks.length > 0);
    begin.classList.toggle("primary", !inverters.length);
    say(begin, t(search ? "new_site.find.more" : "new_site.find.begin"));
  }

  return { node, update, isBusy: () => Boolean(context.state?.search?.running), close: () => clearTimeout(timer) };
}
