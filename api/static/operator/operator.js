// @ts-check
/** The operator's desk: acts behind buttons, forms with roles and schools, and what is shown only once. */
import { api, busy, copy, fields, openDialog } from "../app.js";

/** @param {string} id */
const dialog = (id) => /** @type {HTMLDialogElement} */ (document.getElementById(id));

/**
 * Writes an answer's values into a dialog and opens it.
 * @param {string} id @param {Record<string, unknown>} answer
 */
function show(id, answer) {
  const place = dialog(id);
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("[data-show]"))) {
    each.textContent = String(answer[each.dataset.show ?? ""] ?? "");
  }
  for (const each of /** @type {NodeListOf<HTMLImageElement>} */ (place.querySelectorAll("[data-src]"))) {
    each.src = String(answer[each.dataset.src ?? ""] ?? "");
  }
  for (const open of document.querySelectorAll("dialog[open]")) if (open !== place) dialog(open.id).close();
  openDialog(id);
}

/** @param {string} text @returns {Promise<boolean>} */
function sure(text) {
  const place = dialog("sure");
  const words = /** @type {HTMLElement} */ (place.querySelector("[data-sure-text]"));
  const yes = /** @type {HTMLButtonElement} */ (place.querySelector("[data-sure-yes]"));
  words.textContent = text;
  openDialog("sure");
  return new Promise((resolve) => {
    yes.onclick = () => {
      resolve(true);
      place.close();
    };
    place.addEventListener("close", () => resolve(false), { once: true });
  });
}

/** @param {HTMLElement} button */
async function act(button) {
  const question = button.dataset.sure;
  if (question && !(await sure(question))) return;
  await busy(button, async () => {
    const answer = await api(button.dataset.act ?? "", { method: "POST" });
    if (button.dataset.shows) show(button.dataset.shows, answer);
    else location.reload();
  });
}

/** @param {ParentNode} form */
const rows = (form) => /** @type {HTMLElement} */ (form.querySelector("[data-role-rows]"));

/** @param {ParentNode} form @param {string} [role] @param {string} [org] */
function addRow(form, role, org) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("role-row"));
  rows(form).append(template.content.cloneNode(true));
  const row = /** @type {HTMLElement} */ (rows(form).lastElementChild);
  const [one, two] = /** @type {HTMLSelectElement[]} */ ([...row.querySelectorAll("select")]);
  if (role) one.value = role;
  if (org) two.value = org;
  else preferCounty(two);
}

/** @param {HTMLSelectElement} select */
function preferCounty(select) {
  const county = select.querySelector("option[data-county]");
  if (county instanceof HTMLOptionElement) select.value = county.value;
}

/** @param {ParentNode} form */
function rolesIn(form) {
  return [...rows(form).children].map((row) => ({
    role: /** @type {HTMLSelectElement} */ (row.querySelector("[data-role]")).value,
    org_id: Number(/** @type {HTMLSelectElement} */ (row.querySelector("[data-org]")).value),
  }));
}

/** The field of the teacher is there where the role needs one. @param {HTMLFormElement} form */
function needTeacher(form) {
  const field = /** @type {HTMLElement | null} */ (form.querySelector("[data-teacher-field]"));
  if (field) field.hidden = !rolesIn(form).some((each) => each.role === "lead_teacher");
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const button = target?.closest("button");
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(target) || button) menu.removeAttribute("open");
  }
  if (!button) return;
  const form = button.closest("form");
  if (button.dataset.act) void act(button);
  if (button.hasAttribute("data-adds") && form) addRow(form);
  if (button.hasAttribute("data-drops") && form && rows(form).childElementCount > 1) {
    button.closest(".role-row")?.remove();
    needTeacher(form);
  }
  if (button.dataset.rolesOf) openRoles(button);
  if (button.dataset.pinOf) openPin(button);
  if (button.dataset.encoderOf) openEncoder(button);
  if (button.dataset.try) void tryEncoder(button);
  if (button.hasAttribute("data-reloads")) location.reload();
  if (button.dataset.copies) {
    const shown = button.closest("dialog")?.querySelector(`[data-show="${button.dataset.copies}"]`);
    void copy(shown?.textContent ?? "");
  }
});

/** @param {HTMLElement} button */
function openRoles(button) {
  const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-change-roles]"));
  form.dataset.account = button.dataset.rolesOf;
  /** @type {HTMLElement} */ (form.querySelector("[data-roles-name]")).textContent = button.dataset.name ?? "";
  rows(form).replaceChildren();
  const orgs = JSON.parse(button.dataset.orgs ?? "[]");
  JSON.parse(button.dataset.roles ?? "[]").forEach((/** @type {string} */ role, /** @type {number} */ n) => addRow(form, role, String(orgs[n])));
  openDialog("change-roles");
}

/** @param {HTMLElement} button */
function openPin(button) {
  const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-pin]"));
  form.dataset.assistant = button.dataset.pinOf;
  /** @type {HTMLElement} */ (form.querySelector("[data-pin-name]")).textContent = button.dataset.name ?? "";
  openDialog("set-pin");
}

/** @param {HTMLElement} button */
function openEncoder(button) {
  const form = /** @type {HTMLFormElement} */ (document.querySelector("form[data-encoder]"));
  form.reset();
  form.dataset.encoder = button.dataset.encoderOf;
  /** @type {HTMLInputElement} */ (form.elements.namedItem("name")).value = button.dataset.name ?? "";
  needUrl(form, button.dataset.kind ?? "");
  openDialog("change-encoder");
}

/** An address is asked of an encoder that is pulled from. @param {HTMLFormElement} form @param {string} kind */
function needUrl(form, kind) {
  const field = /** @type {HTMLElement} */ (form.querySelector("[data-encoder-url]"));
  field.hidden = kind !== "rtsp";
}

/** Tries an encoder and says what was found. @param {HTMLElement} button */
async function tryEncoder(button) {
  const place = dialog("tried");
  const say = (/** @type {string} */ name) => {
    for (const each of /** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("[data-tried]"))) each.hidden = each.dataset.tried !== name;
  };
  say("wait");
  show("tried", {});
  await busy(button, async () => {
    try {
      const answer = await api(button.dataset.try ?? "", { method: "POST" });
      if (place.open) show("tried", answer);
      say(answer.works ? "works" : "fails");
    } catch (error) {
      place.close();
      throw error;
    }
  });
}

document.addEventListener("change", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLSelectElement) || !field.form) return;
  if (field.hasAttribute("data-role")) needTeacher(field.form);
  if (field.hasAttribute("data-encoder-kind")) needUrl(field.form, field.value);
  if (field.hasAttribute("data-teacher")) {
    const name = field.form.elements.namedItem("name");
    if (name instanceof HTMLInputElement && !name.value) name.value = field.selectedOptions[0]?.dataset.name ?? "";
  }
  const room = field.form.querySelector("[data-rooms]:not(option)");
  if (field.hasAttribute("data-school") && room instanceof HTMLSelectElement) {
    const found = /** @type {[string, string][]} */ (JSON.parse(field.selectedOptions[0]?.dataset.rooms ?? "[]"));
    room.replaceChildren(room.options[0], ...found.map(([code]) => new Option(code, code)));
    if (found.length === 1) room.value = found[0][0];
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  const button = /** @type {HTMLElement} */ (event.submitter ?? form);
  /** @param {() => Promise<void>} doing */
  const run = (doing) => {
    event.preventDefault();
    void busy(button, doing, form);
  };
  if (form.hasAttribute("data-account")) {
    run(async () => {
      const roles = rolesIn(form);
      const leads = roles.some((each) => each.role === "lead_teacher");
      const teacher = /** @type {HTMLSelectElement} */ (form.querySelector("[data-teacher]")).value;
      const slash = teacher.indexOf("/");
      const { name, login } = fields(form);
      const belongs = leads && slash > 0 ? { teacher_county: teacher.slice(0, slash), teacher_code: teacher.slice(slash + 1) } : {};
      show("handed", await api("/api/operator/accounts", { body: { name, login, roles, ...belongs } }));
    });
  } else if (form.hasAttribute("data-change-roles")) {
    run(async () => {
      await api(`/api/operator/accounts/${form.dataset.account}/roles`, { body: { roles: rolesIn(form) } });
      location.reload();
    });
  } else if (form.dataset.placed) {
    run(async () => {
      const { place, ...rest } = fields(form);
      const at = String(place).indexOf("/");
      const body = { county: String(place).slice(0, at), school: String(place).slice(at + 1), ...rest };
      const answer = await api(form.dataset.placed ?? "", { body });
      const wanted = form.dataset.showsWith;
      if (form.dataset.shows && (!wanted || answer[wanted])) show(form.dataset.shows, answer);
      else location.reload();
    });
  } else if (form.hasAttribute("data-encoder")) {
    run(async () => {
      await api(`/api/operator/encoders/${form.dataset.encoder}/change`, { body: fields(form) });
      location.reload();
    });
  } else if (form.hasAttribute("data-pin")) {
    run(async () => {
      await api(`/api/operator/assistants/${form.dataset.assistant}/pin`, { body: fields(form) });
      location.reload();
    });
  }
});

// What is shown once is gone when its dialog closes; the list behind it has changed.
for (const id of ["handed", "slip", "pushed"]) dialog(id)?.addEventListener("close", () => location.reload());
for (const each of document.querySelectorAll("[data-role-rows] [data-org]")) preferCounty(/** @type {HTMLSelectElement} */ (each));
