/**
 * What stands on the big screen: the teacher, what the teacher shows, the class that speaks, our own camera. One of them is large, the
 * others stand beside it in a rail and never on it.
 */
import { part, tell, word } from "./page.js";
import { Follower } from "./source.js";
import { groupOf } from "./tiles.js";

/** @typedef {import("./room.js").Snapshot} Snapshot */
/** @typedef {"lead"|"screen"|"speaker"|"own"} View */

/** @type {View[]} */ const LARGE = ["screen", "lead", "speaker"]; // who may be large, the most wanted first

export class Views extends EventTarget {
  screen = new Follower(part("screen-video"));
  speaker = new Follower(part("speaker-video"));
  /** @type {Set<View>} */ #there = new Set(["lead"]);
  /** @type {View|""} chosen by hand, until something comes or goes */ #chosen = "";

  constructor() {
    super();
    for (const follower of [this.screen, this.speaker]) {
      follower.addEventListener("media", () => this.dispatchEvent(new Event("media")));
    }
    part("views").addEventListener("click", (/** @type {Event} */ event) => {
      const asked = /** @type {HTMLElement} */ (event.target).closest("[data-enlarge]")?.getAttribute("data-enlarge");
      if (asked) this.#choose(/** @type {View} */ (asked));
    });
    part("swap").addEventListener("click", () => this.swap());
  }

  /** The videos whose sound belongs to the lesson. @returns {HTMLVideoElement[]} */
  get voices() {
    return [part("video"), this.screen.video, this.speaker.video];
  }

  /** The next one becomes large. */
  swap() {
    const candidates = LARGE.filter((name) => this.#there.has(name));
    this.#choose(candidates[(candidates.indexOf(this.#large()) + 1) % candidates.length]);
  }

  /**
   * @param {Snapshot} snapshot
   * @param {string} own our side's id
   * @param {boolean} camera our own camera is on
   */
  show(snapshot, own, camera) {
    const live = snapshot.state === "live";
    const speaker = live && snapshot.floor !== own ? snapshot.sides.find((side) => side.id === snapshot.floor) : undefined;
    this.screen.follow(live && snapshot.screen ? "screen" : "", !live);
    this.speaker.follow(speaker?.sends ? `class:${speaker.id}` : "", true); // whoever loses the floor is cut off by the relay
    if (speaker) tell(part("speaker-name"), word("classroom.speaks", { name: `${speaker.school_name} ${groupOf(speaker)}` }));
    /** @type {Set<View>} */
    const there = new Set(["lead"]);
    if (this.screen.source) there.add("screen");
    if (speaker) there.add("speaker");
    if (live && camera) there.add("own");
    const news = LARGE.some((name) => there.has(name) !== this.#there.has(name));
    this.#there = there;
    if (news) this.#chosen = "";
    this.#place();
  }

  /** @param {View} name */
  #choose(name) {
    this.#chosen = name;
    this.#place();
  }

  /** @returns {View} */
  #large() {
    if (this.#chosen && this.#there.has(this.#chosen)) return this.#chosen;
    return LARGE.find((name) => this.#there.has(name)) ?? "lead";
  }

  #place() {
    const large = this.#large();
    part("views").toggleAttribute("data-rail", this.#there.size > 1);
    part("views").dataset.large = large;
    for (const figure of part("views").querySelectorAll("[data-view]")) {
      const name = /** @type {View} */ (figure.dataset.view);
      figure.hidden = !this.#there.has(name);
      figure.dataset.place = name === large ? "large" : "rail";
    }
    part("swap").hidden = LARGE.filter((name) => this.#there.has(name)).length < 2;
  }
}
