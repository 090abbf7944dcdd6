// @ts-check
/** A roll-over: classes that a planner knows better are looked at again, and what is seen is accepted as it was seen. */
import { api, busy } from "../app.js";

const page = /** @type {HTMLElement} */ (document.getElementById("roll-over"));
/** @type {Record<string, string>} */
const corrections = JSON.parse(document.getElementById("corrections")?.textContent ?? "{}");
const again = document.getElementById("look-again");

page.addEventListener("change", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLSelectElement) || field.dataset.class === undefined) return;
  corrections[field.dataset.class] = field.value;
  again?.removeAttribute("disabled");
  // What is shown is no longer what is chosen: look again first.
  document.getElementById("accept")?.setAttribute("disabled", "");
});

again?.addEventListener("click", () => {
  const query = new URLSearchParams({ up: page.dataset.up ?? "", corrections: JSON.stringify(corrections) });
  location.assign(`${page.dataset.url}?${query}`);
});

document.getElementById("accept")?.addEventListener("click", (event) => {
  void busy(/** @type {HTMLElement} */ (event.currentTarget), async () => {
    const made = await api(page.dataset.api ?? "", { body: { up: page.dataset.up === "1", corrections } });
    location.assign(`${page.dataset.plans}${made.plan}`);
  });
});

// Folded groups would be missing on paper.
addEventListener("beforeprint", () => {
  for (const each of page.querySelectorAll("details")) each.open = true;
});
