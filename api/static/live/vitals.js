/** How each class's line does, in words and figures, as the relay counts it (the `media` message of docs/LIVE_PROTOCOL.md). */
import { tell, word } from "./page.js";

/**
 * @typedef {object} Session
 * @property {string} side
 * @property {string} source
 * @property {"publisher"|"subscriber"} role
 * @property {number} kbit_s
 * @property {number|null} lost_percent
 * @property {number|null} jitter_ms
 * @property {number|null} round_trip_ms
 * @property {"good"|"fair"|"poor"} grade
 * @property {"full"|"no_camera"|"slides"|"audio"|"nothing"|null} rung how much of the class a subscriber is sent
 * @property {string|null} rid which size of the picture; null while it is sent none
 */
/** @typedef {{sessions: Session[], seen: Record<string, {freezes: number, freeze_seconds: number, height: number}>}} Media */

const GRADES = ["good", "fair", "poor"];

/**
 * One line on each tile: what the class receives, and what we receive of it.
 * @param {HTMLElement} tiles
 * @param {Media} media
 */
export function showVitals(tiles, media) {
  for (const tile of /** @type {NodeListOf<HTMLElement>} */ (tiles.querySelectorAll("[data-side]"))) {
    const side = tile.dataset.side ?? "";
    const down = media.sessions.filter((each) => each.side === side && each.role === "subscriber" && !each.source.startsWith("class:"));
    const up = media.sessions.find((each) => each.side === side && each.role === "publisher");
    const line = tile.querySelector("[data-f=vitals]");
    if (!line) continue;
    if (!down.length) {
      delete tile.dataset.grade;
      tell(line, "");
      continue;
    }
    const lost = most(down.map((each) => each.lost_percent));
    const roundTrip = most(down.map((each) => each.round_trip_ms));
    const grade = GRADES[Math.max(...down.map((each) => GRADES.indexOf(each.grade)))];
    tile.dataset.grade = grade;
    const seen = media.seen[side];
    const rung = down.find((each) => each.source === "lead")?.rung;
    const words = [
      word(`teacher.line_${grade}`),
      rung && rung !== "full" ? word(`live.rung_${rung}`) : "",
      lost === null ? "" : word("teacher.line_lost", { n: lost }),
      roundTrip === null ? "" : word("teacher.line_round_trip", { n: Math.round(roundTrip) }),
      seen?.height ? word("teacher.line_height", { n: seen.height }) : "",
      seen?.freezes ? word("teacher.line_freezes", { n: seen.freezes, s: Math.round(seen.freeze_seconds) }) : "",
      (up?.lost_percent ?? 0) > 2 ? word("teacher.line_up_lost", { n: up?.lost_percent ?? 0 }) : "",
    ];
    tell(line, words.filter(Boolean).join(" · "));
  }
}

/** @param {(number|null)[]} numbers @returns {number|null} */
function most(numbers) {
  const known = numbers.filter((each) => each !== null);
  return known.length ? Math.max(...known) : null;
}

let before = { bytes: 0, at: 0 };

/**
 * Our own upload in a line.
 * @param {Awaited<ReturnType<import("./stats.js").readSent>>} sent as this page counts it
 * @param {number|null} lost percent that did not reach the relay
 * @returns {string}
 */
export function uploadWords(sent, lost) {
  const now = performance.now();
  const rate = sent && before.at && sent.bytesSent >= before.bytes ? (8 * (sent.bytesSent - before.bytes)) / (now - before.at) / 1000 : 0;
  before = { bytes: sent?.bytesSent ?? 0, at: now };
  if (!sent || !rate) return "";
  const limit = sent.limitedBy === "cpu" || sent.limitedBy === "bandwidth" ? word(`teacher.upload_${sent.limitedBy}`) : "";
  const words = [
    word("teacher.upload", { rate: rate.toFixed(1) }),
    sent.height ? word("teacher.line_height", { n: sent.height }) : "",
    lost === null ? "" : word("teacher.line_lost", { n: lost }),
    sent.roundTripMs === null ? "" : word("teacher.line_round_trip", { n: Math.round(sent.roundTripMs) }),
    limit,
  ];
  return words.filter(Boolean).join(" · ");
}
