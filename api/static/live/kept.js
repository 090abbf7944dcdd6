/**
 * Evidence that could not be sent: kept on this machine and handed in when the line is back. The server marks it late and
 * takes each piece once, however often it comes.
 */
import { Refused, call } from "./page.js";

/** @typedef {{event_id: string, kind: "head_count"|"self_test", at: string, data: Record<string, unknown>}} Piece */

const NOT_NOW = [0, 401, 408, 429]; // offline, signed out, too slow, too often: the same pieces are taken another time

export class Kept {
  /** @param {string} occurrence */
  constructor(occurrence) {
    this.door = `/api/live/${occurrence}/late`;
    this.place = `sanke.late.${occurrence}`;
  }

  /** @returns {Piece[]} */
  #pieces() {
    try {
      return JSON.parse(localStorage.getItem(this.place) || "[]");
    } catch {
      return [];
    }
  }

  /** @param {Piece[]} pieces */
  #write(pieces) {
    if (pieces.length) localStorage.setItem(this.place, JSON.stringify(pieces));
    else localStorage.removeItem(this.place);
  }

  /**
   * Keeps a piece for later.
   * @param {"head_count"|"self_test"} kind
   * @param {Record<string, unknown>} data
   * @param {number} at ms since the epoch, by the server's clock as far as it is known
   */
  add(kind, data, at) {
    const number = crypto.getRandomValues(new Uint32Array(4));
    const piece = { event_id: [...number].map((part) => part.toString(36)).join(""), kind, at: new Date(at).toISOString(), data };
    this.#write([...this.#pieces(), piece]);
  }

  /** Hands in what is kept. @returns {Promise<boolean>} whether something was taken */
  async handIn() {
    const pieces = this.#pieces();
    if (!pieces.length) return false;
    try {
      await call("POST", this.door, { items: pieces });
    } catch (error) {
      if (!(error instanceof Refused) || NOT_NOW.includes(error.problem.status) || error.problem.status >= 500) return false;
      // refused for good (past the grace): it would never be taken
    }
    const sent = new Set(pieces.map((piece) => piece.event_id));
    this.#write(this.#pieces().filter((piece) => !sent.has(piece.event_id)));
    return true;
  }
}
