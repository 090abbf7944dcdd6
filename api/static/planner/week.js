// @ts-check
/** A week: arrow keys turn the page, the calendar's address comes when it is asked for. */
import { api, busy, openDialog } from "../app.js";

document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLElement && event.target.matches("input, select, textarea");
  if (typing || event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
  if (event.key === "ArrowLeft") document.getElementById("week-before")?.click();
  if (event.key === "ArrowRight") document.getElementById("week-after")?.click();
});

const button = document.getElementById("subscribe");
button?.addEventListener("click", () =>
  busy(button, async () => {
    const field = /** @type {HTMLInputElement} */ (document.getElementById("feed-url"));
    if (!field.value) {
      const body = { kind: button.dataset.kind, code: button.dataset.code };
      const made = await api(button.dataset.url ?? "", { body });
      field.value = made.url;
      document.getElementById("feed-copy")?.setAttribute("data-copy", made.url);
    }
    openDialog("feed");
    field.select();
  }),
);
