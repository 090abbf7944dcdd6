/**
 * A classroom whose network lets no UDP through watches the running class over HTTP, a few seconds behind. As soon as the real
 * session is there, it takes over. This is no evidence: the relay carries nothing to this classroom, and the page says so.
 */
import { part, tell, view, word } from "./page.js";
import { SegmentPlayer } from "./segments.js";

/** @typedef {import("./room.js").Room} Room */
/** @typedef {import("./room.js").Snapshot} Snapshot */
/** @typedef {import("./whep.js").Subscriber} Subscriber */

const PATIENCE = 8000; // ms without a session, while the lead is on air, until HTTP is tried

export class HttpPlayer extends EventTarget {
  /** @type {SegmentPlayer|null} */ #player = null;
  #lead = false;
  /** When the session began to be missed. */
  #missing = NaN;

  /**
   * @param {Room} room
   * @param {Subscriber} subscriber
   * @param {HTMLVideoElement} video
   */
  constructor(room, subscriber, video) {
    super();
    this.room = room;
    this.subscriber = subscriber;
    this.video = video;
    setInterval(() => this.#look(), 500);
  }

  /** @param {Snapshot} snapshot */
  show(snapshot) {
    this.#lead = snapshot.state === "live" && snapshot.sides.some((side) => side.side === "lead" && side.connected);
  }

  /** How far behind the class the picture is, in whole seconds; null while the real session plays, or nothing does. */
  get delay() {
    const shown = this.#player?.shown ?? null;
    return shown === null ? null : Math.max(0, Math.round((this.room.now() - shown) / 1000));
  }

  #look() {
    const state = this.subscriber.state;
    const missed = this.#lead && (state === "connecting" || state === "reconnecting");
    this.#missing = missed ? this.#missing || performance.now() : NaN;
    if (this.#player && !(missed || state === "idle")) this.#stop();
    else if (!this.#player && performance.now() - this.#missing > PATIENCE) this.#start();
    const delay = this.delay;
    const note = part("over-http");
    note.hidden = delay === null;
    if (delay !== null) tell(note.querySelector("[data-f=words]"), word("classroom.over_http", { seconds: delay }));
    if (this.#player) this.dispatchEvent(new Event("delay"));
  }

  #start() {
    this.#player = new SegmentPlayer(this.video, `/live/${view.occurrence}/segments/lead.m3u8`, { live: true });
    this.#player.addEventListener("ready", () => this.dispatchEvent(new Event("media")));
    this.#player.start();
  }

  #stop() {
    this.#player?.stop();
    this.#player = null;
    this.dispatchEvent(new Event("delay"));
  }
}
