/**
 * The live class as the page knows it: a WebSocket that comes back by itself (docs/LIVE_PROTOCOL.md).
 *
 * Every change arrives as a whole snapshot, so a page that was away needs nothing but the next one.
 */
import { MOVED } from "./link.js";
import { Refused, backoff, call, pause } from "./page.js";

/**
 * @typedef {object} Side one side of the lesson, as the server sends it
 * @property {string} id
 * @property {"lead"|"receiver"|"member"} side
 * @property {string} school_name
 * @property {string|null} class_code
 * @property {number[]} grades
 * @property {string|null} teacher_name
 * @property {boolean} here its page is open now
 * @property {boolean} connected a media session is up now
 * @property {"good"|"degraded"|"unknown"|"none"} quality of the newest slot
 * @property {string|null} assistant who signed in
 * @property {number} expected head-count of the class list
 * @property {number|null} present head-count entered
 * @property {boolean} tested a self-test was stored
 * @property {boolean} sends its own source is sent now
 * @property {string|null} hand since when the hand is up
 * @property {{camera: boolean|null, microphone: boolean|null}|null} devices as its page said; null of one: there is none
 */
/**
 * @typedef {object} Snapshot
 * @property {string} occurrence_id
 * @property {string} state planned, ready, live, ended, judged, cancelled
 * @property {string} starts_at
 * @property {string} ends_at
 * @property {"on"|"off"|"failed"} recording
 * @property {string|null} opened_at
 * @property {string|null} closed_at
 * @property {string|null} floor the side that has the floor
 * @property {boolean} screen the lead shows its screen
 * @property {Side[]} sides the lead first
 * @property {import("./encoder.js").EncoderState|null} encoder the recording room's encoder that sends `lead`, if one does
 */

const BEAT_EVERY = 5000;
const SILENT_AFTER = 12_000; // the server answers every beat; a line that swallows three is dead
const REFUSED_FOR = 5000; // ms until a page that was not let in is loaded anew

export class Room extends EventTarget {
  /** @type {"connecting"|"open"|"reconnecting"|"closed"} */ state = "connecting";
  /** @type {Snapshot|null} */ snapshot = null;
  /** Server time minus the page's, in ms. */
  offset = 0;
  /** @type {string} our side's id */ side = "";
  /** @type {WebSocket|null} */ #socket = null;
  #heard = 0;
  #opened = 0;
  #stopper = new AbortController();

  /** @param {string} path for example `/live/3f2a…` */
  constructor(path) {
    super();
    this.path = path;
  }

  /** Connects, and keeps coming back until `stop`. */
  async start() {
    let attempt = 0;
    while (!this.#stopper.signal.aborted) {
      const opened = await this.#visit();
      if (this.#stopper.signal.aborted) break;
      attempt = opened ? 0 : attempt + 1;
      this.#become("reconnecting");
      if (!opened && (await this.#shutOut())) return this.#leave();
      await pause(backoff(attempt), this.#stopper.signal, this);
    }
  }

  /**
   * Whether the lesson is no longer this page's: a line that is refused says nothing of why, the door beside it does.
   * @returns {Promise<boolean>}
   */
  async #shutOut() {
    try {
      await call("GET", `/api${this.path}`);
      return false;
    } catch (error) {
      return error instanceof Refused && [401, 403, 404].includes(error.problem.status);
    }
  }

  stop() {
    this.#stopper.abort();
    this.#socket?.close(1000);
    this.#become("closed");
  }

  /** The server's time now. @returns {number} ms since the epoch */
  now() {
    return Date.now() + this.offset;
  }

  /**
   * Sends a message if the line is open.
   * @param {string} type
   * @param {Record<string, unknown>} [fields]
   * @returns {boolean} whether it left
   */
  send(type, fields = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify({ type, ...fields }));
    return true;
  }

  /** Drops the line as a lost network would; the room comes back by itself. */
  drop() {
    this.#socket?.close(4000);
  }

  /** @param {"connecting"|"open"|"reconnecting"|"closed"} state */
  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("line", { detail: state }));
  }

  /** One connection from its opening to its end. @returns {Promise<boolean>} whether it opened */
  #visit() {
    const address = new URL(this.path, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    this.#socket = socket;
    this.#opened = 0;
    return new Promise((resolve) => {
      const beat = setInterval(() => this.#beat(socket), BEAT_EVERY);
      const lost = () => socket.close(4001);
      window.addEventListener("offline", lost);
      socket.addEventListener("open", () => {
        this.#opened = this.#heard = performance.now();
        this.#become("open");
      });
      socket.addEventListener("message", (event) => this.#take(event.data));
      socket.addEventListener("close", () => {
        clearInterval(beat);
        window.removeEventListener("offline", lost);
        resolve(this.#opened > 0);
      });
    });
  }

  /** @param {WebSocket} socket */
  #beat(socket) {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (performance.now() - this.#heard > SILENT_AFTER) socket.close(4001);
    else this.send("beat", { sent: Date.now() });
  }

  /** Shown out: the lesson's page anew says why. One that was never let in comes from a server that thinks otherwise than the line's. */
  #leave() {
    this.#stopper.abort();
    setTimeout(() => location.reload(), this.side ? 0 : REFUSED_FOR);
  }

  /** @param {string} text */
  #take(text) {
    this.#heard = performance.now();
    const message = JSON.parse(text);
    if (message.type === "welcome") {
      this.side = message.side;
      this.offset = Date.parse(message.now) - Date.now(); // a beat will tell it more exactly
    }
    if (message.type === "beat" && typeof message.sent === "number") {
      const half = (Date.now() - message.sent) / 2;
      this.offset = Date.parse(message.now) + half - Date.now();
    }
    if (message.state) this.snapshot = message.state;
    if (message.type === "bye") this.#leave();
    if (message.type === "moved") window.dispatchEvent(new Event(MOVED));
    this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
  }
}
