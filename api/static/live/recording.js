/** The lead's switch for recording, and what everybody is told of it. */
import { call, part, tell, view, word } from "./page.js";

/**
 * @param {(button: HTMLButtonElement, act: () => Promise<unknown>) => Promise<void>} guarded shows a refusal beside the buttons
 * @returns {(recording: string) => void} shows how it stands: `on`, `off` or `failed`
 */
export function recordingPart(guarded) {
  const button = part("record");
  button.addEventListener("click", () =>
    guarded(button, () => call("POST", `/api/live/${view.occurrence}/recording`, { on: button.getAttribute("aria-pressed") !== "true" })),
  );
  return (recording) => {
    const on = recording === "on";
    button.setAttribute("aria-pressed", String(on));
    tell(button.querySelector("[data-f=label]"), word(on ? "teacher.record_stop" : "teacher.record"));
    part("recorded").hidden = !on;
    part("record-failed").hidden = recording !== "failed";
  };
}
