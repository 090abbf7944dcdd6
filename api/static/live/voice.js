/**
 * The classroom's own camera and microphone. A small picture goes to the lead as long as the camera is on; with the floor a larger one and
 * the sound go to everybody. Nothing is negotiated anew for that: tracks and limits of the running session change.
 */
import { soundConstraints } from "./devices.js";
import { Sender, grantFor } from "./source.js";

const KEPT = "sanke.camera"; // "on" where this classroom has once opened it
const CAPTURED = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 20, max: 25 } };
const SMALL = { height: 180, maxBitrate: 120_000, maxFramerate: 12 };
const LARGE = { height: 480, maxBitrate: 600_000, maxFramerate: 20 };
const SOUND = { maxBitrate: 40_000, priority: /** @type {const} */ ("high") };

export class Voice extends EventTarget {
  /** @type {MediaStreamTrack|null} */ camera = null;
  /** @type {MediaStreamTrack|null} */ microphone = null;
  /** Switched off by hand while it could be heard. */ muted = false;
  /** We have the floor. */ speaks = false;
  /** @type {""|"permission"|"devices"} why there is nothing */ trouble = "";
  /** @type {Sender} */ sender;
  #wanted = false;
  /** @type {Promise<void>|null} what the browser is being asked for */ #opening = null;
  #turn = 0; // grows with each closing: what comes of a question from before it is closed at once

  /** @param {() => string} side our side's id */
  constructor(side) {
    super();
    this.sender = new Sender(
      () => grantFor(`class:${side()}`, "publish")(),
      () => [this.#sound(), this.#picture()],
    );
  }

  get open() {
    return this.camera !== null || this.microphone !== null;
  }

  /** What the lead is told of our devices. @returns {{camera: boolean|null, microphone: boolean|null}} */
  get devices() {
    return { camera: this.camera && true, microphone: this.microphone && !this.muted };
  }

  /** Whether this classroom opened its camera before. */
  static remembered() {
    try {
      return localStorage.getItem(KEPT) === "on";
    } catch {
      return false;
    }
  }

  /** Asks for what is not open yet, once at a time; where one of camera and microphone is missing, the other alone. */
  async start() {
    const opening = (this.#opening ??= this.#open(this.#turn));
    await opening;
    if (this.#opening === opening) this.#opening = null;
  }

  /** @param {number} turn */
  async #open(turn) {
    const audio = soundConstraints({ camera: "", microphone: "", music: false, quality: "clear" });
    const each = [...(this.microphone ? [] : [{ audio }]), ...(this.camera ? [] : [{ video: CAPTURED }])];
    /** @type {MediaStreamTrack[]} */ let tracks = [];
    let refused = false;
    for (const wanted of each.length > 1 ? [{ audio, video: CAPTURED }, ...each] : each) {
      if (tracks.length || refused || turn !== this.#turn) break;
      try {
        tracks = (await navigator.mediaDevices.getUserMedia(wanted)).getTracks();
      } catch (error) {
        refused = !navigator.mediaDevices || /** @type {DOMException} */ (error).name === "NotAllowedError";
      }
    }
    if (turn !== this.#turn) return tracks.forEach((track) => track.stop());
    for (const track of tracks) {
      this[track.kind === "audio" ? "microphone" : "camera"] = track;
      track.addEventListener("ended", () => this.#lost(track));
    }
    this.trouble = this.open ? "" : refused ? "permission" : "devices";
    if (this.camera) this.camera.contentHint = "motion";
    if (this.open) this.#keep(true);
    await this.#apply();
  }

  /**
   * Closes both; nothing is sent any more.
   * @param {boolean} [over] the class has ended: the next one opens them again by itself
   */
  async stop(over = false) {
    if (!over) this.#keep(false);
    this.#turn += 1;
    this.#opening = null;
    this.camera?.stop();
    this.microphone?.stop();
    this.camera = this.microphone = null;
    await this.#apply();
  }

  /**
   * Whether our source is wanted now, and whether we have the floor.
   * @param {boolean} live
   * @param {boolean} speaks
   */
  async follow(live, speaks) {
    if (live === this.#wanted && speaks === this.speaks) return;
    if (speaks && !this.speaks) this.muted = false; // whoever is asked to speak is heard
    this.#wanted = live;
    this.speaks = speaks;
    await this.#apply();
  }

  /** @param {boolean} muted */
  async mute(muted) {
    this.muted = muted;
    await this.#apply();
  }

  async #apply() {
    this.dispatchEvent(new Event("change"));
    if (this.#wanted && this.open) {
      this.sender.start();
      await this.sender.update();
    } else if (this.sender.state !== "idle" && this.sender.state !== "closed") await this.sender.stop(!this.#wanted);
  }

  /** The microphone is not even connected without the floor. @returns {import("./source.js").Outgoing} */
  #sound() {
    return { kind: "audio", track: this.speaks && !this.muted ? this.microphone : null, encoding: SOUND };
  }

  /** @returns {import("./source.js").Outgoing} */
  #picture() {
    const { height, ...limits } = this.speaks ? LARGE : SMALL;
    const captured = this.camera?.getSettings().height ?? height;
    return { kind: "video", track: this.camera, encoding: { ...limits, scaleResolutionDownBy: Math.max(1, captured / height) } };
  }

  /** @param {MediaStreamTrack} track unplugged, or taken by the system */
  #lost(track) {
    if (track === this.camera) this.camera = null;
    if (track === this.microphone) this.microphone = null;
    this.#apply();
  }

  /** @param {boolean} on */
  #keep(on) {
    try {
      localStorage.setItem(KEPT, on ? "on" : "off");
    } catch {
      // a browser that keeps nothing asks again next time
    }
  }
}
