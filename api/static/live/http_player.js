/**
 * A classroom whose network lets no UDP through watches the running class over HTTP, a few seconds behind. As soon as the real
 * session is there, it takes over. This is no evidence: the relay carries nothing to this classroom, and the page says so.
 */
import { part, tell, view, word } from "./page.js";
import { SegmentPlayer } from "./segments.js";

/** @typedef {import("./room.js").Room} Room */
/** @typedef {import("./room.js").Snapshot} Snapshot */
/** @typedef {import("./whep.js").Subscriber} Subscriber */

const NOTE_FOR = 20_000; // ms the long note covers the picture; the pill in the bar goes on saying it in short
const PATIENCE = 8000; // ms without a session, while the lead is on air, until HTTP is tried

export class HttpPlayer extends EventTarget {
  /** @type {Map<string, SegmentPlayer>} by source */ #players = new Map();
  #lead = false;
  #screen = false;
  /** When the note was first shown. */
  #noted = NaN;
  /** When the session began to be missed. */
  #missing = NaN;

  /**
   * @param {Room} room
   * @param {Subscriber} subscriber of the lead
   * @param {Record<string, HTMLVideoElement>} videos by source: the lead's, and the shared screen's
   */
  constructor(room, subscriber, videos) {
    super();
    this.room = room;
    this.subscriber = subscriber;
    this.videos = videos;
    setInterval(() => this.#look(), 500);
  }

  /** @param {Snapshot} snapshot */
  show(snapshot) {
    this.#lead = snapshot.state === "live" && snapshot.sides.some((side) => side.side === "lead" && side.connected);
    this.#screen = snapshot.state === "live" && snapshot.screen;
  }

  /** How far behind the class the picture is, in whole seconds; null while the real session plays, or nothing does. */
  get delay() {
    const shown = this.#players.get("lead")?.shown ?? null;
    return shown === null ? null : Math.max(0, Math.round((this.room.now() - shown) / 1000));
  }

  #look() {
    const state = this.subscriber.state;
    const missed = this.#lead && (state === "connecting" || state === "reconnecting");
    this.#missing = missed ? this.#missing || performance.now() : NaN;
    const watches = performance.now() - this.#missing > PATIENCE || (this.#players.size > 0 && state === "idle");
    this.#want(watches ? ["lead", ...(this.#screen ? ["screen"] : [])] : []);
    const delay = this.delay;
    const note = part("over-http");
    this.#noted = delay === null ? NaN : this.#noted || performance.now();
    note.hidden = !(performance.now() - this.#noted < NOTE_FOR);
    if (delay !== null) tell(note.querySelector("[data-f=words]"), word("classroom.over_http", { seconds: delay }));
    if (watches) this.dispatchEvent(new Event("delay"));
  }

  /** @param {string[]} sources what is to be played over HTTP, and nothing else */
  #want(sources) {
    for (const [source, player] of this.#players) {
      if (sources.includes(source)) continue;
      player.stop();
      this.#players.delete(source);
      this.dispatchEvent(new Event("delay"));
    }
    for (const source of sources) {
      if (this.#players.has(source)) continue;
      const address = `/live/${view.occurrence}/segments/${source}.m3u8`;
      const player = new SegmentPlayer(this.videos[source], address, { live: true });
      this.#players.set(source, player);
      player.addEventListener("ready", () => this.dispatchEvent(new Event("media")));
      player.start();
    }
  }
}
