/** The classroom's roll: its assistant signs in and counts the pupils, and what cannot be sent is kept and handed in later. */
import { Kept } from "./kept.js";
import { Pad } from "./pad.js";
import { Refused, call, part, step, tell, view, word } from "./page.js";

/** @typedef {import("./room.js").Side} Side */
/** @typedef {import("./room.js").Snapshot} Snapshot */

/**
 * @param {import("./room.js").Room} room
 * @param {(snapshot: Snapshot) => void} changed called with the class as an act of the roll has left it
 * @returns {{show: (own: Side) => void, handIn: () => void}}
 */
export function rollPart(room, changed) {
  const door = `/api/live/${view.occurrence}`;
  const kept = new Kept(view.occurrence);
  const pin = new Pad(part("pin-pad"));
  const count = new Pad(part("count-pad"));

  for (const button of part("assistants").querySelectorAll("button")) {
    button.addEventListener("click", () => {
      const assistant = Number(button.dataset.assistant);
      part("assistant-dialog").close();
      tell(part("pin-who"), button.textContent.trim());
      pin.open("", async (digits) => {
        changed((await call("POST", `${door}/sign-in`, { assistant, pin: digits })).state);
      });
    });
  }
  for (const opener of document.querySelectorAll("[data-open=sign-in]")) {
    opener.addEventListener("click", () => part("assistant-dialog").showModal());
  }
  part("assistant-cancel").addEventListener("click", () => part("assistant-dialog").close());

  const enter = async (/** @type {number} */ present) => {
    try {
      changed((await call("POST", `${door}/head-count`, { present })).state);
    } catch (error) {
      if (!(error instanceof Refused) || error.problem.status !== 0) throw error;
      kept.add("head_count", { present }, room.now());
      tell(part("bar-count"), word("classroom.kept", { n: present }));
    }
  };
  for (const opener of document.querySelectorAll("[data-open=head-count]")) {
    opener.addEventListener("click", () => count.open("", (digits) => enter(Number(digits))));
  }
  part("count-all").addEventListener("click", async () => {
    const own = room.snapshot?.sides.find((side) => side.id === room.side);
    if (!own) return;
    try {
      await enter(own.expected);
      part("count-pad").close();
    } catch (error) {
      if (error instanceof Refused) tell(count.error, error.message);
    }
  });

  /** @param {Side} own */
  function show(own) {
    const signed = own.assistant !== null;
    step("signed", signed, signed ? word("classroom.signed_in_as", { name: own.assistant ?? "" }) : word("classroom.sign_in_why"));
    const counted = own.present !== null;
    const numbers = { present: own.present ?? 0, expected: own.expected };
    step("counted", counted, word(counted ? "classroom.counted_as" : "classroom.count_why", numbers));
    tell(part("bar-assistant"), own.assistant ?? word("live.no_assistant"));
    tell(part("bar-count"), counted ? `${own.present} / ${own.expected}` : `– / ${own.expected}`);
    part("bar-assistant").dataset.done = String(signed);
    part("bar-count").dataset.done = String(counted);
    part("nag").hidden = (signed && counted) || room.snapshot?.state !== "live";
  }

  return { show, handIn: () => kept.handIn() };
}
