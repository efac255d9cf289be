// What is asked of the server, and the token that allows a change. It is kept until the tab is closed, in no cookie.

const KEPT = "orchestrator.token";
let token = null;
try {
  token = sessionStorage.getItem(KEPT);
} catch {
  // storage may be forbidden: the token is kept in memory alone
}

/** What the server refused: `status`, in plain words why, and the same as a value where it is one. */
export class Refused extends Error {
  constructor(status, words, { field, why } = {}) {
    super(words);
    this.status = status;
    this.field = field;
    this.why = why;
  }
}

export const isSignedIn = () => token !== null;

export function signOut() {
  keep(null);
}

/** Use this token from now on, whatever it is good for. */
export function signInWith(secret) {
  keep(secret);
}

function keep(value) {
  token = value;
  try {
    if (value === null) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, value);
  } catch {
    // kept in memory
  }
}

async function ask(method, path, { body, secret = token } = {}) {
  const headers = { Accept: "application/json" };
  if (secret) headers.Authorization = `Bearer ${secret}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(`api/v1/${path}`, {
    method, headers, cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  let said = null;
  try {
    said = text ? JSON.parse(text) : null;
  } catch {
    // a proxy may answer with a page of its own
  }
  if (!answer.ok) throw new Refused(answer.status, said?.error ?? `${answer.status} ${answer.statusText}`, said ?? {});
  return said;
}

export const get = (path) => ask("GET", path);

/** Ask for a change. A token that is no longer good is forgotten. Throws Refused. */
export async function change(method, path, body) {
  try {
    return await ask(method, path, { body });
  } catch (refused) {
    if (refused.status === 401) signOut();
    throw refused;
  }
}

/** The stream of the site as a body to be read. Throws Refused, or TypeError where nobody answers. */
export async function openStream(signal) {
  const headers = { Accept: "text/event-stream", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const answer = await fetch("api/v1/stream", { headers, signal, cache: "no-store" });
  if (!answer.ok) throw new Refused(answer.status, answer.statusText);
  return answer.body;
}

/** Sign in with a password, or else with a token. Throws Refused where it is neither. */
export async function signIn(secret, { toRead = false } = {}) {
  try {
    const session = await ask("POST", "session", { body: { password: secret }, secret: null });
    keep(session.token);
    return;
  } catch (refused) {
    if (!(refused instanceof Refused) || ![401, 403, 404, 422].includes(refused.status)) throw refused;
    const site = await ask("GET", "site", { secret }).catch(() => null);
    if (!site?.may_change && !(site && toRead)) throw refused;
    keep(secret);
  }
}
