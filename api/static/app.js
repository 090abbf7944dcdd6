// @ts-check
/**
 * What every page needs and nothing more: asking the server, saying what went wrong, dialogs, times, copying.
 * A module of a page imports from here; words come from `data-word-…` attributes of <body>, in the reader's language.
 */

/**
 * What the server says when it refuses: RFC 9457, `code` is stable, `detail` is in the reader's language.
 * @typedef {{code: string, status: number, title: string, detail: string, facts?: Record<string, unknown>,
 *            errors?: {at: string, code: string, detail: string}[]}} ProblemDetails
 */

/** A refusal of the server, or a broken line (`code` is `offline`). */
export class Refused extends Error {
  /** @param {ProblemDetails} problem */
  constructor(problem) {
    super(problem.detail || problem.title || problem.code);
    this.name = "Refused";
    this.problem = problem;
  }
}

/**
 * A word for people from the page.
 * @param {string} name as in `data-word-<name>` @returns {string}
 */
export function word(name) {
  return document.body.getAttribute(`data-word-${name}`) ?? name;
}

/**
 * Asks the server. JSON in, JSON out; an answer that is no success throws `Refused`.
 * @param {string} path
 * @param {{method?: string, body?: unknown, signal?: AbortSignal}} [options] a `FormData` or string body goes out as it is
 * @returns {Promise<any>} the parsed JSON, or null where there is none
 */
export async function api(path, options = {}) {
  const { body, signal } = options;
  const plain = body === undefined || body instanceof FormData || body instanceof Blob || typeof body === "string";
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (!plain) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method: options.method ?? (body === undefined ? "GET" : "POST"),
      headers,
      body: /** @type {BodyInit | undefined} */ (plain ? body : JSON.stringify(body)),
      credentials: "same-origin",
      signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused({ code: "offline", status: 0, title: word("offline"), detail: word("offline") });
  }
  const kind = answer.headers.get("Content-Type") ?? "";
  const value = kind.includes("json") ? await answer.json() : null;
  if (answer.ok) return value;
  throw new Refused(value ?? { code: "failed", status: answer.status, title: word("failed"), detail: word("failed") });
}

/**
 * A short message at the edge of the page.
 * @param {string} text
 * @param {{tone?: "jade" | "vermilion", action?: string, onAction?: () => void, seconds?: number}} [options]
 */
export function toast(text, options = {}) {
  let frame = document.querySelector(".toasts");
  if (!frame) {
    frame = document.createElement("div");
    frame.className = "toasts";
    frame.setAttribute("role", "status");
    frame.setAttribute("aria-live", "polite");
    document.body.append(frame);
  }
  // An open dialog lies in the top layer: a toast must be inside it to be seen.
  const dialog = [...document.querySelectorAll("dialog[open]")].pop();
  (dialog ?? document.body).append(frame);
  const box = document.createElement("div");
  box.className = "toast";
  if (options.tone) box.dataset.tone = options.tone;
  const words = document.createElement("span");
  words.textContent = text;
  box.append(words);
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = options.action ?? word("close");
  button.addEventListener("click", () => {
    box.remove();
    options.onAction?.();
  });
  box.append(button);
  frame.append(box);
  const seconds = options.seconds ?? (options.tone === "vermilion" ? 12 : 6);
  setTimeout(() => box.remove(), seconds * 1000);
}

/**
 * Tells a failure: beside the fields of `form` where they are named, else as a toast.
 * @param {unknown} error @param {HTMLFormElement | null} [form]
 */
export function tell(error, form = null) {
  if (!(error instanceof Refused)) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    toast(word("failed"), { tone: "vermilion" });
    throw error;
  }
  if (error.problem.code === "sign_in_needed") {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    return;
  }
  let placed = false;
  for (const each of error.problem.errors ?? []) {
    const field = form?.elements.namedItem(each.at.split(".").pop() ?? "");
    if (field instanceof HTMLElement) {
      placed = true;
      mark(field, each.detail);
    }
  }
  const spot = form?.querySelector("[data-error]");
  if (spot instanceof HTMLElement && !placed) {
    spot.textContent = error.message;
    spot.hidden = false;
  } else if (!placed) {
    toast(error.message, { tone: "vermilion" });
  }
}

/** @param {HTMLElement} field @param {string} text */
function mark(field, text) {
  field.setAttribute("aria-invalid", "true");
  let note = field.parentElement?.querySelector(".field-error");
  if (!note) {
    note = document.createElement("p");
    note.className = "field-error";
    field.after(note);
  }
  note.textContent = text;
}

/** Clears what `tell` wrote. @param {HTMLFormElement} form */
export function clear(form) {
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const note of form.querySelectorAll(".field-error:not([data-error])")) note.remove();
  const spot = form.querySelector("[data-error]");
  if (spot instanceof HTMLElement) spot.hidden = true;
}

/**
 * Runs an act behind a button: the button is busy meanwhile, failures are told.
 * @template T @param {HTMLElement} button @param {() => Promise<T>} act @param {HTMLFormElement | null} [form]
 * @returns {Promise<T | undefined>}
 */
export async function busy(button, act, form = null) {
  if (button.getAttribute("aria-busy") === "true") return undefined;
  button.setAttribute("aria-busy", "true");
  button.setAttribute("aria-disabled", "true");
  if (form) clear(form);
  try {
    return await act();
  } catch (error) {
    tell(error, form);
    return undefined;
  } finally {
    button.removeAttribute("aria-busy");
    button.removeAttribute("aria-disabled");
  }
}

/**
 * The fields of a form as an object. `data-type="number"` makes numbers, a check box a boolean, empty text null where
 * `data-empty="null"` says so.
 * @param {HTMLFormElement} form @returns {Record<string, unknown>}
 */
export function fields(form) {
  /** @type {Record<string, unknown>} */
  const values = {};
  for (const field of form.elements) {
    if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement || field instanceof HTMLTextAreaElement)) continue;
    if (!field.name || field.disabled) continue;
    if (field instanceof HTMLInputElement && field.type === "radio" && !field.checked) continue;
    if (field instanceof HTMLInputElement && field.type === "checkbox") values[field.name] = field.checked;
    else if (field.value === "" && field.dataset.empty === "null") values[field.name] = null;
    else if (field.dataset.type === "number" || field.type === "number") values[field.name] = Number(field.value);
    else values[field.name] = field.value;
  }
  return values;
}

/**
 * "3 minutes ago", "in 5 minutes" in the page's language.
 * @param {Date} moment @param {Date} [now] @returns {string}
 */
export function relative(moment, now = new Date()) {
  const seconds = Math.round((moment.getTime() - now.getTime()) / 1000);
  const form = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
  /** @type {[Intl.RelativeTimeFormatUnit, number][]} */
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return form.format(Math.round(seconds / size), unit);
  }
  return form.format(seconds, "second");
}

/** Keeps every `<time data-relative datetime="…">` fresh. */
function freshen() {
  for (const each of document.querySelectorAll("time[data-relative]")) {
    each.textContent = relative(new Date(each.getAttribute("datetime") ?? ""));
  }
}

/**
 * Copies text; where the browser forbids it (plain http on a school's network), the old way through a field.
 * @param {string} text
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "visually-hidden";
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  toast(word("copied"));
}

/** @param {string} id */
export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const opener = target?.closest("[data-opens]");
  if (opener) openDialog(opener.getAttribute("data-opens") ?? "");
  const closer = target?.closest("[data-closes]");
  if (closer) closer.closest("dialog")?.close();
  if (target instanceof HTMLDialogElement) target.close(); // a click on the backdrop
  const copier = target?.closest("[data-copy]");
  if (copier) void copy(copier.getAttribute("data-copy") ?? "");
  if (target?.closest("[data-print]")) window.print();
});

document.addEventListener("change", (event) => {
  const field = event.target instanceof Element ? event.target.closest("[data-submits]") : null;
  if (field instanceof HTMLSelectElement || field instanceof HTMLInputElement) field.form?.requestSubmit();
});

/**
 * `<form data-api="/api/…" data-method="POST" data-then="reload|/address|{id}">`: sends the fields as JSON and goes on.
 * In `data-then`, `{name}` is a field of the answer.
 */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.dataset.api) return;
  event.preventDefault();
  const button = event.submitter ?? form;
  void busy(/** @type {HTMLElement} */ (button), async () => {
    const answer = await api(form.dataset.api ?? "", { method: form.dataset.method ?? "POST", body: fields(form) });
    const then = (form.dataset.then ?? "reload").replace(/\{(\w+)\}/g, (_, name) => String(answer?.[name] ?? ""));
    if (then === "reload") location.reload();
    else location.assign(then);
  }, form);
});

/** Filters rows as one types: `<input data-filters="#table">`; a row is shown where its text holds every word. */
document.addEventListener("input", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLInputElement) || !field.dataset.filters) return;
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of document.querySelectorAll(`${field.dataset.filters} tbody tr`)) {
    const text = (row.textContent ?? "").toLowerCase();
    row.toggleAttribute("hidden", !words.every((each) => text.includes(each)));
  }
});

/** Where a menu or tabs are wider than the screen, the present one stands in the middle. */
function centre() {
  for (const row of document.querySelectorAll(".bar-nav, .tabs")) {
    const here = row.querySelector("[aria-current], [aria-selected=true]")?.getBoundingClientRect();
    const frame = row.getBoundingClientRect();
    if (here) row.scrollLeft += here.left + here.width / 2 - frame.left - frame.width / 2;
  }
}

centre();
freshen();
setInterval(freshen, 30_000);
