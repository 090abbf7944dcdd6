// @ts-check
/** The form of a what-if: one box for each supposition, which shows what its kind needs; they go out as a list. */
import { api, busy } from "../app.js";

const SMALL = 80;
/** More choices than this are typed with a list of proposals. */

/** @type {{lists: Record<string, [string, string][]>, policies: Record<string, {value: number, flag: boolean}>}} */
const given = JSON.parse(document.getElementById("what-if-lists")?.textContent ?? '{"lists":{},"policies":{}}');
const form = document.getElementById("what-if");
const boxes = /** @type {HTMLElement} */ (document.getElementById("suppositions"));

/**
 * @template {Element} T
 * @param {Element} box @param {string} what @returns {T}
 */
const find = (box, what) => /** @type {T} */ (box.querySelector(what));

/** @param {Element} box @returns {HTMLInputElement | HTMLSelectElement} the field of the code that is in use */
const codeOf = (box) => find(box, "[name=code]:not([disabled])");

/** Shows what the chosen kind needs, and offers what it can be about. @param {Element} box */
function follow(box) {
  /** @type {HTMLSelectElement} */
  const kind = find(box, "[name=kind]");
  find(box, "[data-code-word]").textContent = kind.selectedOptions[0].dataset.word ?? "";
  for (const part of box.querySelectorAll("[data-for]")) {
    const shown = (part.getAttribute("data-for") ?? "").split(" ").includes(kind.value);
    part.toggleAttribute("hidden", !shown);
    for (const field of part.querySelectorAll("input, select")) field.toggleAttribute("disabled", !shown);
  }
  const choices = given.lists[kind.value] ?? [];
  const many = choices.length > SMALL;
  /** @type {HTMLSelectElement} */
  const small = find(box, "[data-small]");
  /** @type {HTMLInputElement} */
  const large = find(box, "[data-large]");
  for (const [field, used] of /** @type {[HTMLInputElement | HTMLSelectElement, boolean][]} */ ([[small, !many], [large, many]])) {
    field.hidden = field.disabled = !used;
    field.required = used;
  }
  if (many) large.value = "";
  else small.replaceChildren(...choices.map(([code, name]) => new Option(name === code || kind.value === "policy" ? name : `${name} ${code}`, code)));
  name(box);
}

/** Says whose the code is, and what a policy value is now. @param {Element} box */
function name(box) {
  const kind = find(box, "[name=kind]").value;
  const code = codeOf(box).value;
  const known = (given.lists[kind] ?? []).find(([each]) => each === code);
  find(box, "[data-named]").textContent = codeOf(box) instanceof HTMLInputElement && known ? known[1] : "";
  const policy = given.policies[code];
  if (kind !== "policy" || !policy) return;
  /** @type {HTMLInputElement} */
  const value = find(box, "[name=value]");
  value.max = policy.flag ? "1" : "";
  value.value = String(policy.flag ? 1 - policy.value : policy.value + 1);
  const now = find(box, "[data-now]");
  now.textContent = (now.getAttribute("data-now") ?? "").replace("%n", String(policy.value));
}

/** Fills the one list of proposals for the box that is being typed in. @param {Element} box */
function propose(box) {
  const kind = find(box, "[name=kind]").value;
  document.getElementById("codes")?.replaceChildren(
    ...(given.lists[kind] ?? []).map(([code, words]) => {
      const option = document.createElement("option");
      option.value = code;
      option.label = words;
      return option;
    }),
  );
}

/** @param {string} [kind] @param {string} [code] */
function add(kind, code) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("supposition"));
  boxes.append(template.content.cloneNode(true));
  const box = /** @type {Element} */ (boxes.lastElementChild);
  const kinds = /** @type {HTMLSelectElement} */ (find(box, "[name=kind]"));
  if (kind && [...kinds.options].some((each) => each.value === kind)) kinds.value = kind;
  follow(box);
  if (code) codeOf(box).value = code;
  name(box);
  count();
  return box;
}

function count() {
  for (const each of boxes.querySelectorAll("[data-removes]")) each.toggleAttribute("hidden", boxes.children.length < 2);
}

/** @param {Element} box @returns {Record<string, unknown>} */
function supposition(box) {
  /** @type {Record<string, unknown>} */
  const found = { code: codeOf(box).value };
  for (const field of box.querySelectorAll("input, select")) {
    if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement)) continue;
    if (field.disabled || field.name === "code" || field.name === "weekday") continue;
    if (field.type === "number") found[field.name] = Number(field.value);
    else if (field.value) found[field.name] = field.value;
  }
  const days = [...box.querySelectorAll("[name=weekday]:not([disabled]):checked")];
  if (days.length) found.weekdays = days.map((each) => Number(/** @type {HTMLInputElement} */ (each).value));
  return found;
}

if (form instanceof HTMLFormElement) {
  add(form.dataset.kind, form.dataset.code);
  document.getElementById("add")?.addEventListener("click", () => {
    /** @type {HTMLElement} */ (find(add(), "[name=kind]")).focus();
  });
  boxes.addEventListener("change", (event) => {
    const field = event.target;
    const box = field instanceof Element ? field.closest(".supposition") : null;
    if (!box || !(field instanceof HTMLInputElement || field instanceof HTMLSelectElement)) return;
    if (field.name === "kind") follow(box);
    if (field.name === "code") name(box);
  });
  boxes.addEventListener("focusin", (event) => {
    const field = event.target;
    if (field instanceof HTMLInputElement && field.name === "code") propose(/** @type {Element} */ (field.closest(".supposition")));
  });
  boxes.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-removes]") : null;
    if (button && boxes.children.length > 1) button.closest(".supposition")?.remove();
    count();
  });
  const how = /** @type {HTMLSelectElement} */ (form.elements.namedItem("how"));
  const seconds = /** @type {HTMLElement} */ (/** @type {Element} */ (form.elements.namedItem("seconds")).closest(".field"));
  const fit = () => (seconds.hidden = how.value === "repair");
  how.addEventListener("change", fit);
  fit();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = {
      changes: [...boxes.children].map(supposition),
      base: Number(/** @type {HTMLSelectElement} */ (form.elements.namedItem("base")).value),
      seconds: Number(/** @type {HTMLSelectElement} */ (form.elements.namedItem("seconds")).value),
    };
    const repairs = how.value === "repair";
    void busy(/** @type {HTMLElement} */ (event.submitter ?? form), async () => {
      const made = await api(`${form.dataset.url}${repairs ? "/repair" : ""}`, { body });
      location.assign(repairs ? `${form.dataset.plans}${made.plan}/compare?to=${made.base}` : `${form.dataset.runs}${made.run}`);
    }, form);
  });
}
