/**
 * A number pad for fingers, arrow-free keyboards and remote controls: digits, delete, confirm, in a dialog.
 * The dialog stands in the page (`classroom/_pad.html`); this module gives it its meaning.
 */
import { Refused, tell } from "./page.js";

export class Pad {
  #digits = "";
  /** @type {((digits: string) => Promise<void>)|null} */ #accept = null;

  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.dialog = dialog;
    this.shown = /** @type {HTMLElement} */ (dialog.querySelector("[data-pad=shown]"));
    this.error = /** @type {HTMLElement} */ (dialog.querySelector("[data-pad=error]"));
    this.confirm = /** @type {HTMLButtonElement} */ (dialog.querySelector("[data-pad=confirm]"));
    this.secret = dialog.dataset.secret === "yes";
    this.longest = Number(dialog.dataset.longest || 6);
    this.least = Number(dialog.dataset.least || 1);
    for (const key of dialog.querySelectorAll("[data-digit]")) {
      key.addEventListener("click", () => this.press(/** @type {HTMLElement} */ (key).dataset.digit || ""));
    }
    dialog.querySelector("[data-pad=delete]")?.addEventListener("click", () => this.#set(this.#digits.slice(0, -1)));
    dialog.querySelector("[data-pad=cancel]")?.addEventListener("click", () => dialog.close());
    this.confirm.addEventListener("click", () => this.#finish());
    dialog.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * Opens the pad.
   * @param {string} digits shown at first
   * @param {(digits: string) => Promise<void>} accept a `Refused` it throws is shown, and the pad stays open
   */
  open(digits, accept) {
    this.#accept = accept;
    tell(this.error, "");
    this.#set(digits);
    this.dialog.showModal();
    /** @type {HTMLElement|null} */ (this.dialog.querySelector("[data-digit='1']"))?.focus();
  }

  /** @param {string} digit */
  press(digit) {
    if (this.#digits.length < this.longest) this.#set(this.#digits + digit);
  }

  /** @param {string} digits */
  #set(digits) {
    this.#digits = digits;
    tell(this.shown, this.secret ? "●".repeat(digits.length) : digits);
    this.shown.classList.toggle("empty", digits === "");
    this.confirm.disabled = digits.length < this.least;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (/^\d$/.test(event.key)) this.press(event.key);
    else if (event.key === "Backspace") this.#set(this.#digits.slice(0, -1));
    else if (event.key === "Enter" && !this.confirm.disabled) this.#finish();
    else return;
    event.preventDefault();
  }

  async #finish() {
    if (!this.#accept || this.confirm.disabled) return;
    this.confirm.disabled = true;
    try {
      await this.#accept(this.#digits);
      this.dialog.close();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      tell(this.error, error.message);
      this.#set("");
    }
  }
}
