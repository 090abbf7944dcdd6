/**
 * What the server wrote into the page, words for people, and calls to the JSON doors.
 *
 * The page carries one data block, `<script type="application/json" id="view">`, with `words` (catalogue key → sentence
 * with `{places}`) and whatever the page needs. Nothing is written into scripts, so the content policy can stay strict.
 */
import { Refused, api } from "../app.js";

export { Refused };

/** @type {Record<string, any>} */
export const view = JSON.parse(document.getElementById("view")?.textContent || "{}");

/**
 * A sentence of the catalogue with its places filled.
 * @param {string} key for example `live.state_connected`
 * @param {Record<string, string|number>} [fields]
 * @returns {string}
 */
export function word(key, fields = {}) {
  const text = view.words?.[key];
  if (text === undefined) throw new Error(`no words for ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(fields[name] ?? ""));
}

/**
 * Calls a JSON door; refusals are thrown as `Refused`.
 * @param {"GET"|"POST"|"PUT"|"DELETE"} method
 * @param {string} url
 * @param {unknown} [body]
 * @returns {Promise<any>} the parsed answer, null where there is none
 */
export function call(method, url, body) {
  return api(url, { method, body });
}

/**
 * The element of an id, which must be there.
 * @param {string} id
 * @returns {any}
 */
export function part(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found;
}

/**
 * Sets text only where it changed, so that screen readers are not told the same twice.
 * @param {Element|null} element
 * @param {string} text
 */
export function tell(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/**
 * A step on the way to the lesson.
 * @param {string} name
 * @param {boolean} done
 * @param {string} words
 */
export function step(name, done, words) {
  const element = part(`step-${name}`);
  element.dataset.state = done ? "done" : "open";
  tell(element.querySelector("[data-f=words]"), words);
}

/**
 * Minutes and seconds, with hours where there are some.
 * @param {number} seconds
 * @returns {string}
 */
export function clockWords(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const rest = `${pad(Math.floor((whole % 3600) / 60))}:${pad(whole % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

/** Loads a lesson's page anew when its doors open, and every ten minutes until then: it may be moved. */
export function comeBackAtDoors() {
  const wait = Date.parse(view.enter_from) - Date.parse(view.now);
  setTimeout(() => location.reload(), Math.max(5000, Math.min(600_000, wait)));
}

/**
 * Waits, unless something wakes it.
 * @param {number} ms
 * @param {AbortSignal} [signal] ends the wait at once
 * @param {EventTarget} [waker] an event `wake` on it ends the wait, as does the browser's `online`
 * @returns {Promise<void>}
 */
export function pause(ms, signal, waker) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      waker?.removeEventListener("wake", done);
      window.removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
    waker?.addEventListener("wake", done);
    window.addEventListener("online", done);
    if (signal?.aborted) done();
  });
}

/**
 * The wait before try number `attempt` (0, 1, 2 …): 0.3 s, doubling to at most 5 s, spread by ±25 % so that a
 * whole county does not come back in the same instant.
 * @param {number} attempt
 * @returns {number} milliseconds
 */
export function backoff(attempt) {
  return Math.min(5000, 300 * 2 ** Math.min(attempt, 6)) * (0.75 + Math.random() / 2);
}
