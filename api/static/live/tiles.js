/** The tiles of the other sides: who is there, signed in, how many, whose hand is up. */
import { tell, word } from "./page.js";

/** @typedef {import("./room.js").Side} Side */
/** @typedef {"away"|"here"|"watching"|"lost"} Presence */

/**
 * How a side is there. Media is what counts; an open page alone is not presence.
 * @param {Side} side
 * @param {boolean} live whether the class runs
 * @returns {Presence}
 */
export function presenceOf(side, live) {
  const gone = !side.here && side.quality === "unknown"; // the relay itself waits half a minute before it gives a session up
  if (side.connected && !(live && gone)) return "watching";
  if (live && (side.connected || side.quality !== "none")) return "lost";
  return side.here ? "here" : "away";
}

/**
 * The class or person on a side: 三年级、四年级, or the name of a community's member.
 * @param {Side} side
 * @returns {string}
 */
export function groupOf(side) {
  if (!side.grades.length) return side.teacher_name ?? "";
  return side.grades.map((grade) => word(`live.grade_${grade}`)).join(word("live.comma"));
}

/**
 * Brings the tiles up to date without rebuilding them, so that focus and screen readers stay where they are.
 * @param {HTMLElement} list
 * @param {HTMLTemplateElement} template with `data-f` fields
 * @param {Side[]} sides
 * @param {boolean} live
 */
export function showTiles(list, template, sides, live) {
  const known = new Map([...list.children].map((tile) => [/** @type {HTMLElement} */ (tile).dataset.side, tile]));
  for (const side of sides) {
    let tile = /** @type {HTMLElement|undefined} */ (known.get(side.id));
    if (!tile) {
      tile = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
      tile.dataset.side = side.id;
      list.append(tile);
    }
    fill(tile, side, live);
  }
}

/** @param {HTMLElement} tile @param {Side} side @param {boolean} live */
function fill(tile, side, live) {
  const field = (/** @type {string} */ name) => /** @type {HTMLElement|null} */ (tile.querySelector(`[data-f=${name}]`));
  const presence = presenceOf(side, live);
  tile.dataset.presence = presence;
  tile.dataset.hand = side.hand ? "up" : "down";
  tell(field("school"), side.school_name);
  tell(field("group"), groupOf(side));
  const weak = presence === "watching" && ["degraded", "unknown"].includes(side.quality);
  tile.dataset.weak = weak ? "yes" : "no";
  tell(field("presence"), word(weak ? "live.presence_weak" : `live.presence_${presence}`));
  tell(field("assistant"), side.assistant ?? word("live.no_assistant"));
  field("assistant")?.classList.toggle("faint", !side.assistant);
  tell(field("present"), side.present === null ? "–" : String(side.present));
  field("present")?.classList.toggle("faint", side.present === null);
  tell(field("expected"), String(side.expected));
  for (const [name, shown] of /** @type {[string, boolean][]} */ ([["hand", !!side.hand], ["tested", side.tested]])) {
    const element = field(name);
    if (element) element.hidden = !shown;
  }
  const lower = field("lower");
  if (lower) lower.dataset.lower = side.id;
}
