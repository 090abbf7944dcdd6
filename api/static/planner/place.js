// @ts-check
/** Placing by hand: the other button asks for a repair in which the meeting stands and others give way. */
import { api, busy, fields } from "../app.js";

const form = document.getElementById("place");
if (form instanceof HTMLFormElement) {
  form.addEventListener(
    "submit",
    (event) => {
      const button = event.submitter;
      if (!(button instanceof HTMLElement) || !button.hasAttribute("data-mends")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      void busy(button, async () => {
        const made = await api(form.dataset.mend ?? "", { body: fields(form) });
        location.assign(`${form.dataset.drafts}${made.draft}`);
      }, form);
    },
    true,
  );
  const anyway = form.elements.namedItem("anyway");
  form.addEventListener("change", (event) => {
    const cell = event.target instanceof HTMLInputElement && event.target.name === "cell" ? event.target : null;
    if (cell && anyway instanceof HTMLInputElement) anyway.checked = false; // a new place is a new decision
  });
}
