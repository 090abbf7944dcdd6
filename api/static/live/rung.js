/** How much of the class this classroom receives: the most it wants, chosen by hand, and what its line lets through. */
import { part, tell, view, word } from "./page.js";

/** @typedef {import("./room.js").Room} Room */
/** @typedef {import("./whep.js").Subscriber} Subscriber */
/** @typedef {"full"|"no_camera"|"slides"|"audio"|"nothing"} Rung */

const KEPT = `sanke.rung.${view.occurrence}`; // for this lesson and this window: the next one begins with everything

/**
 * Wires the button, its dialog and the words in the bar.
 * @param {Room} room
 * @param {Subscriber} subscriber of the lead; the relay is told again with each of its sessions
 */
export function rungPart(room, subscriber) {
  const dialog = part("rung-dialog");
  let wanted = /** @type {Rung|""} */ (kept());
  let told = -1;

  const say = () => room.send("rung", { rung: wanted || null });
  const show = () => {
    for (const button of dialog.querySelectorAll("[data-rung]")) {
      button.setAttribute("aria-pressed", String((button.getAttribute("data-rung") ?? "") === wanted));
    }
    part("rung").setAttribute("aria-pressed", String(wanted !== ""));
  };

  part("rung").addEventListener("click", () => dialog.showModal());
  part("rung-cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (/** @type {Event} */ event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("[data-rung]");
    if (!button) return;
    wanted = /** @type {Rung|""} */ (button.getAttribute("data-rung") ?? "");
    keep(wanted);
    say();
    show();
    dialog.close();
  });
  const again = () => {
    if (subscriber.state !== "connected" || told === subscriber.sessions) return;
    if (!wanted && told < 0) told = subscriber.sessions; // nothing was ever chosen in this window
    else if (say()) told = subscriber.sessions;
  };
  subscriber.addEventListener("session", again);
  room.addEventListener("line", again);
  room.addEventListener("media", (event) => {
    const sessions = /** @type {CustomEvent} */ (event).detail.sessions;
    const own = sessions.find((/** @type {{side: string, source: string}} */ each) => each.side === room.side && each.source === "lead");
    const rung = /** @type {Rung} */ (own?.rung ?? "full");
    part("rung-now").hidden = rung === "full";
    part("rung-now").dataset.by = rung === wanted ? "hand" : "line";
    tell(part("rung-words"), rung === "full" ? "" : word(rung === wanted ? `live.rung_${rung}` : "classroom.rung_line", { rung: word(`live.rung_${rung}`) }));
  });
  show();
}

/** The choice made in this window. @returns {string} */
function kept() {
  try {
    return sessionStorage.getItem(KEPT) ?? "";
  } catch {
    return "";
  }
}

/** @param {string} rung */
function keep(rung) {
  try {
    sessionStorage.setItem(KEPT, rung);
  } catch {
    // a browser that keeps nothing: the choice holds until the page is loaded anew
  }
}
