// @ts-check
/** The form of an extra lesson: the rooms follow the lead teacher's school, the classes go out as a list. */
import { api, busy, fields } from "../app.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("extra"));
const lead = /** @type {HTMLSelectElement} */ (form.elements.namedItem("lead_teacher_code"));
const room = /** @type {HTMLSelectElement} */ (form.elements.namedItem("lead_room_code"));
const classes = /** @type {HTMLSelectElement} */ (form.elements.namedItem("class_codes"));
const subject = /** @type {HTMLSelectElement} */ (form.elements.namedItem("subject"));

/** Shows only the teachers of the subject, and only the rooms of the teacher's school. */
function narrow() {
  for (const option of lead.options) {
    option.hidden = option.disabled = !(option.dataset.subjects ?? "").split(" ").includes(subject.value);
  }
  if (lead.selectedOptions[0]?.disabled) lead.value = [...lead.options].find((each) => !each.disabled)?.value ?? "";
  const school = lead.selectedOptions[0]?.dataset.school;
  for (const option of room.options) option.hidden = option.disabled = option.dataset.school !== school;
  if (room.selectedOptions[0]?.disabled ?? true) room.value = [...room.options].find((each) => !each.disabled)?.value ?? "";
}

lead.addEventListener("change", narrow);
subject.addEventListener("change", narrow);
narrow();

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const button = /** @type {HTMLElement} */ (event.submitter ?? form);
  void busy(button, async () => {
    const body = { ...fields(form), class_codes: [...classes.selectedOptions].map((each) => each.value) };
    const made = await api(form.dataset.url ?? "", { body });
    location.assign(`${form.dataset.lesson}${made.id}`);
  }, form);
});
