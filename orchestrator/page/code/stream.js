// The state of the site as it comes (server-sent events), and since when it does not come any more.
// Read with fetch, not with EventSource: that one can send no token, and does not show the server's sign of life.

import { openStream } from "./api.js";

const QUIET_MS = 25_000; // the server gives a sign of life every 15 s
const AGAIN_MS = [1000, 2000, 4000, 8000];

/** One message of a stream: {event, data}; null for a mere sign of life. */
function parsed(block) {
  const fields = { event: "message", data: [] };
  for (const line of block.split(/\r?\n/)) {
    const [name, value] = line.startsWith(":") ? ["", ""] : [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).replace(/^ /, "")];
    if (name === "event") fields.event = value;
    if (name === "data") fields.data.push(value);
  }
  return fields.data.length ? { event: fields.event, data: fields.data.join("\n") } : null;
}

async function read(body, onPart) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    onPart(blocks.map(parsed).filter(Boolean));
  }
}

/** Listen. `onState(state)`, `onEvent(event)`, `onLink({live, since})`: since is when it was lost, in ms. */
export function listen({ onState, onEvent, onLink, onClosed }) {
  let heard = Date.now();
  let live = true;
  let failures = 0;
  let abort = new AbortController();
  let waiting = null;

  function alive() {
    heard = Date.now();
    failures = 0;
    if (live) return;
    live = true;
    onLink({ live, since: null });
  }

  function lost() {
    if (!live) return;
    live = false;
    onLink({ live, since: heard });
  }

  function take(messages) {
    alive();
    for (const { event, data } of messages) {
      if (event === "state") onState(JSON.parse(data));
      if (event === "event") onEvent(JSON.parse(data));
    }
  }

  async function open() {
    clearTimeout(waiting);
    abort.abort();
    const mine = (abort = new AbortController());
    try {
      await read(await openStream(mine.signal), take);
    } catch (trouble) {
      if (trouble.status === 401) {
        alive(); // the server answers: it wants to know who reads
        onClosed();
        return;
      }
    }
    if (mine !== abort) return;
    lost();
    again();
  }

  function again() {
    waiting = setTimeout(open, AGAIN_MS[Math.min(failures++, AGAIN_MS.length - 1)]);
  }

  setInterval(() => {
    if (Date.now() - heard < QUIET_MS || !live) return;
    lost();
    open();
  }, 1000);
  window.addEventListener("online", open);
  window.addEventListener("offline", lost);
  open();
  return open;
}
