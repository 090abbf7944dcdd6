// @ts-check
/** Substitutions: every lesson has its choice; all of them go to the server together. */
import { api, busy } from "../app.js";

const form = document.getElementById("decide");
if (form instanceof HTMLFormElement) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = /** @type {HTMLElement} */ (event.submitter ?? form);
    void busy(button, async () => {
      /** @type {Record<string, unknown>} */
      const body = { choices: Object.fromEntries(new FormData(form)) };
      for (const told of form.querySelectorAll("input[data-told]")) {
        const field = /** @type {HTMLInputElement} */ (told);
        body[field.dataset.told ?? ""] = field.value;
      }
      await api(form.dataset.url ?? "", { body });
      location.assign(form.dataset.then ?? location.href);
    }, form);
  });
}
