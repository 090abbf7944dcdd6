// @ts-check
/** The list of plan versions: two ticked boxes make a comparison. Beside it, what to know of the county before a run. */
import { api } from "../app.js";

const form = document.getElementById("compare");
if (form instanceof HTMLFormElement) {
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  const chosen = () => [...form.querySelectorAll("input:checked")].map((each) => Number(/** @type {HTMLInputElement} */ (each).value));

  form.addEventListener("change", (event) => {
    const now = chosen();
    if (now.length > 2 && event.target instanceof HTMLInputElement) event.target.checked = false;
    button.disabled = chosen().length !== 2;
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [newer, older] = chosen().sort((a, b) => b - a);
    location.assign(`${form.dataset.base}/${newer}/compare?to=${older}`);
  });
}

const before = document.getElementById("before-run");
if (before) void tellBefore(before);

/**
 * Says what contradicts itself or cannot be met, above the button that starts a run.
 * @param {HTMLElement} place
 */
async function tellBefore(place) {
  try {
    const known = await api(place.dataset.url ?? "", { method: "GET" });
    if (!known.findings.length) {
      place.replaceChildren(Object.assign(document.createElement("p"), { className: "muted", textContent: known.summary }));
      return;
    }
    const more = Object.assign(document.createElement("details"), { className: "more", open: known.findings.length <= 3 });
    const list = document.createElement("ul");
    for (const each of known.findings) list.append(Object.assign(document.createElement("li"), { textContent: each.text }));
    more.append(Object.assign(document.createElement("summary"), { textContent: known.summary }), list);
    place.replaceChildren(more);
  } catch {
    place.remove(); // a run may begin without it
  }
}
