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
 * Brings the tiles up to date without rebuilding them, so that focus, pictures and screen readers stay where they are.
 * @param {HTMLElement} list
 * @param {HTMLTemplateElement} template with `data-f` fields
 * @param {Side[]} sides
 * @param {boolean} live
 * @param {string|null} floor the side that has the floor
 */
export function showTiles(list, template, sides, live, floor) {
  const known = new Map([...list.children].map((tile) => [/** @type {HTMLElement} */ (tile).dataset.side, tile]));
  for (const [index, side] of sides.entries()) {
    let tile = /** @type {HTMLElement|undefined} */ (known.get(side.id));
    if (!tile) {
      tile = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
      tile.dataset.side = side.id;
      list.append(tile);
    }
    fill(tile, side, live);
    fillFloor(tile, side, live, floor === side.id, index + 1);
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
  /** @type {HTMLElement} */ (tile.querySelector("dl")).hidden = side.side === "member"; // nobody signs in or is counted there
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

/**
 * The small picture's place and the button that gives the floor.
 * @param {HTMLElement} tile @param {Side} side @param {boolean} live @param {boolean} speaks @param {number} number for the keyboard
 */
function fillFloor(tile, side, live, speaks, number) {
  const field = (/** @type {string} */ name) => /** @type {HTMLElement} */ (tile.querySelector(`[data-f=${name}]`));
  const microphone = side.devices?.microphone;
  tile.toggleAttribute("data-speaks", speaks);
  tell(field("number"), String(number));
  field("number").hidden = !live || number > 9;
  const picture = side.sends && side.devices?.camera !== null;
  tile.toggleAttribute("data-picture", live && picture);
  tell(field("picture-note"), word(side.devices ? (microphone === null ? "teacher.no_devices" : "teacher.no_camera") : "teacher.no_camera_yet"));
  const button = /** @type {HTMLButtonElement} */ (field("floor"));
  button.hidden = !live;
  button.dataset.floor = side.id;
  button.setAttribute("aria-pressed", String(speaks));
  button.setAttribute("aria-label", `${word(speaks ? "teacher.floor_take" : "teacher.floor_give")} ${side.school_name} ${groupOf(side)}`);
  tell(field("floor-label"), word(speaks ? "teacher.floor_take" : "teacher.floor_give"));
  field("voice").hidden = !speaks;
  tell(field("voice"), word(microphone ? "teacher.voice_live" : microphone === false ? "teacher.voice_muted" : "teacher.voice_none"));
}
