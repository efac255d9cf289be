// Elements in one line each. Text goes in as text only, never as markup: a hostile name stays a name.

import { t } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";

function filled(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((each) => each !== null && each !== undefined));
  return node;
}

/** An HTML element. `props` are attributes; `text` is its text, `on` its listeners. */
export function h(tag, props = {}, ...children) {
  return filled(document.createElement(tag), props, children);
}

/** An SVG element. */
export function s(tag, props = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), props, children);
}

/** Set the text where it is another: what did not change is not touched, so screen readers do not repeat it. */
export function say(node, text) {
  const words = text ?? "";
  if (node.textContent !== words) node.textContent = words;
}

/** Set an attribute where it is another; null takes it away. */
export function set(node, name, value) {
  if (value === null || value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

export function show(node, wanted) {
  if (node.hidden === Boolean(wanted)) node.hidden = !wanted;
}

/** Make the children of `node` anew where `key` is another than the last time. */
export function redraw(node, key, make) {
  const text = JSON.stringify(key);
  if (node.drawn === text) return;
  node.drawn = text;
  node.replaceChildren(...make());
}

/** One child per item, kept as long as the item is there; `make(item)` gives {node, update(item)}. */
export function keyed(parent, make) {
  const known = new Map();
  return (items) => {
    const names = items.map(([name]) => name);
    for (const [name, child] of known) {
      if (!names.includes(name)) {
        child.node.remove();
        known.delete(name);
      }
    }
    items.forEach(([name, item], place) => {
      if (!known.has(name)) known.set(name, make(name));
      const child = known.get(name);
      child.update(item);
      if (parent.children[place] !== child.node) parent.insertBefore(child.node, parent.children[place] ?? null);
    });
  };
}

/** Small pictures of 24 by 24, drawn with lines in the colour of the text. */
const ICONS = {
  sun: "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM12 1v3M12 20v3M1 12h3M20 12h3M4.2 4.2l2.1 2.1M17.7 17.7l2.1 2.1M19.8 4.2l-2.1 2.1M6.3 17.7l-2.1 2.1",
  battery: "M3 7h16v10H3zM19 10h2v4h-2M6 10v4M9.5 10v4M13 10v4",
  house: "M3 12 12 4l9 8M5.5 10v10h13V10M10 20v-6h4v6",
  grid: "M8 22 12 2l4 20M5 8h14M6.5 13h11M9.6 13 15 17.5M14.4 13 9 17.5M5 8v2M19 8v2",
  warning: "M12 3 1.8 21h20.4zM12 10v5M12 17.5v1",
  check: "M4 12.5l5 5L20 6.5",
  pause: "M8 5v14M16 5v14",
  eye: "M1.5 12S5.5 5 12 5s10.5 7 10.5 7-4 7-10.5 7S1.5 12 1.5 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  hand: "M8 13V5.5a1.5 1.5 0 0 1 3 0V11M11 11V4a1.5 1.5 0 0 1 3 0v7M14 11V5.5a1.5 1.5 0 0 1 3 0V12M17 8.5a1.5 1.5 0 0 1 3 0V15a6 6 0 0 1-6 6h-2.5c-2.4 0-3.9-1.2-5-3.2L3.8 14a1.5 1.5 0 0 1 2.5-1.6L8 14.5",
  offline: "M2 2l20 20M8.5 16a5 5 0 0 1 7 0M5 12.5a10 10 0 0 1 5-2.7M14.5 9.9a10 10 0 0 1 4.5 2.6M1.5 9a15 15 0 0 1 5-3.2M10.5 5a15 15 0 0 1 12 4M12 20h.01",
  info: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zM12 11v6M12 7v1",
  clock: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zM12 6v6l4 2",
};

export function icon(name, props = {}) {
  return s("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false", ...props },
    s("path", { d: ICONS[name] }));
}

/** A part of a view with its heading. */
export function card(key, ...children) {
  const id = `card-${key.replace(/\W/g, "-")}`;
  const heading = h("h2", { id, text: t(key), tabindex: "-1" });
  return h("section", { class: "card", "aria-labelledby": id }, heading, ...children);
}
