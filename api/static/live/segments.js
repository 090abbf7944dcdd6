/**
 * Plays a recording, or the newest segments of a running class, from its HLS playlist: through Media Source Extensions where the
 * browser has them, else by the browser's own HLS.
 *
 * Segments carry their time on the recording's timeline, so what is missing is a gap that playing skips. One media source holds
 * segments of one kind; where sound goes on alone, or the format changes, another one takes its place.
 */
import { pause } from "./page.js";

/** @typedef {{url: string, start: number, seconds: number, header: string, codecs: string}} Segment */
/** @typedef {{began: number, number: number, segments: Segment[], ended: boolean}} Playlist `began` in ms since the epoch */

const AHEAD = 20; // seconds kept ready
const BEHIND = 60; // seconds kept for a step back
const RELOAD = 1500; // ms between two looks at a growing playlist
const STEP = 200;
const BEGIN_BEHIND = 2; // segments between a live player and the newest one
const TOO_FAR = 12; // seconds behind the newest sound at which a live player jumps
const HURRY = 7; // seconds at which it plays a little faster

/** @param {string} text @param {string} base the playlist's address @returns {Playlist} */
export function parsePlaylist(text, base) {
  /** @type {Playlist} */
  const list = { began: 0, number: 0, segments: [], ended: false };
  let [start, seconds, header, codecs] = [0, 0, "", ""];
  for (const line of text.split("\n")) {
    const [tag] = line.split(":", 1);
    const value = line.slice(tag.length + 1);
    if (tag === "#EXT-X-SANKE-BEGAN") list.began = Date.parse(value);
    else if (tag === "#EXT-X-MEDIA-SEQUENCE") list.number = Number(value);
    else if (tag === "#EXT-X-SANKE-CODECS") codecs = value;
    else if (tag === "#EXT-X-MAP") header = new URL(value.slice(5, -1), base).href;
    else if (tag === "#EXT-X-PROGRAM-DATE-TIME") start = (Date.parse(value) - list.began) / 1000;
    else if (tag === "#EXTINF") seconds = parseFloat(value);
    else if (tag === "#EXT-X-ENDLIST") list.ended = true;
    else if (line && !line.startsWith("#")) {
      list.segments.push({ url: new URL(line, base).href, start, seconds, header, codecs });
      start += seconds;
    }
  }
  return list;
}

/** @param {Segment} segment */
const typeOf = (segment) => `video/${segment.header.endsWith(".webm") ? "webm" : "mp4"}; codecs="${segment.codecs}"`;
/** @param {Segment} segment what one media source can hold together */
const kindOf = (segment) => `${segment.header.split(".").pop()} ${segment.codecs.split(",").length}`;

export class SegmentPlayer extends EventTarget {
  /** @type {Playlist|null} */ playlist = null;
  #native = !("MediaSource" in window);
  /** @type {MediaSource|null} */ #source = null;
  /** @type {SourceBuffer|null} */ #buffer = null;
  #kind = "";
  #type = "";
  #header = "";
  #next = 0; // number of the segment to fetch, counted from the first of the class
  #loaded = -Infinity;
  /** What the video shows until there is something to play: the last picture of a session that is gone. */ #last;
  #stopper = new AbortController();

  /**
   * @param {HTMLVideoElement} video
   * @param {string} address of the playlist
   * @param {{live?: boolean}} [options]
   */
  constructor(video, address, { live = false } = {}) {
    super();
    this.video = video;
    this.address = address;
    this.live = live;
    this.#last = video.srcObject;
    this.sought = () => this.#seek();
  }

  /** Plays until `stop`; says `ready` once there is a picture or a sound, `failed` with every attempt that failed. */
  async start() {
    const { signal } = this.#stopper;
    this.video.addEventListener("seeking", this.sought);
    while (!signal.aborted) {
      try {
        await this.#load(signal);
        if (this.#native && !this.#source) this.#playNatively();
        if (!this.#native) await this.#step(signal);
      } catch (error) {
        if (signal.aborted) break;
        this.dispatchEvent(new CustomEvent("failed", { detail: error }));
        await pause(RELOAD, signal, this);
      }
      await pause(STEP, signal, this);
    }
  }

  stop() {
    this.#stopper.abort();
    this.video.removeEventListener("seeking", this.sought);
    this.video.removeAttribute("src");
    this.video.playbackRate = 1;
  }

  /** The moment that is shown, in ms since the epoch by the server's clock. @returns {number|null} */
  get shown() {
    return this.playlist && this.video.readyState > 1 ? this.playlist.began + this.video.currentTime * 1000 : null;
  }

  /** @param {number} time @returns {boolean} whether something was recorded then */
  holds(time) {
    return this.playlist?.segments.some((each) => each.start <= time && time < each.start + each.seconds) ?? false;
  }

  /** Shows an address in place of what is gone, and never in place of a session that has come meanwhile. @param {string} address */
  #show(address) {
    const shown = this.video.srcObject;
    if (shown && shown !== this.#last) throw new Error("a session plays here now");
    this.video.srcObject = null;
    this.video.src = address;
  }

  #playNatively() {
    this.#show(this.address);
    this.#native = true;
    this.#source = /** @type {any} */ (this.address); // once
    this.dispatchEvent(new Event("ready"));
  }

  /** @param {AbortSignal} signal */
  async #load(signal) {
    if (this.playlist?.ended || performance.now() - this.#loaded < RELOAD) return;
    const response = await fetch(this.address, { signal, cache: "no-cache" });
    if (!response.ok) throw new Error(`the playlist answered ${response.status}`);
    const first = this.playlist === null;
    this.playlist = parsePlaylist(await response.text(), response.url);
    this.#loaded = performance.now();
    const { number, segments } = this.playlist;
    const newest = number + segments.length;
    if (first || this.#next < number) this.#next = this.live ? Math.max(number, newest - BEGIN_BEHIND) : number;
    if (this.#source && this.#source.readyState === "open" && !this.live) this.#lengthen();
    this.dispatchEvent(new Event("playlist"));
  }

  #lengthen() {
    const last = this.playlist?.segments.at(-1);
    if (!last || !this.#source || this.#buffer?.updating) return;
    const seconds = last.start + last.seconds;
    if (!(this.#source.duration >= seconds)) this.#source.duration = seconds;
  }

  /** @param {AbortSignal} signal */
  async #step(signal) {
    const list = /** @type {Playlist} */ (this.playlist);
    if (this.live) this.#keepUp(list);
    this.#skipGap();
    const segment = list.segments[this.#next - list.number];
    if (!segment) {
      if (list.ended && this.#source?.readyState === "open" && !this.#buffer?.updating) this.#source.endOfStream();
      return;
    }
    const time = this.video.currentTime;
    const same = this.#kind === kindOf(segment);
    if (this.#source && segment.start - time > (same ? AHEAD : 0.5) && this.#reach() - time > 0.3) return;
    if (!same) await this.#open(segment, this.#source ? Math.max(time, segment.start) : segment.start);
    await this.#append(segment, signal);
    this.#next += 1;
  }

  /** The end of what is ready from here on. */
  #reach() {
    const { buffered, currentTime } = this.video;
    for (let index = 0; index < buffered.length; index += 1) {
      if (buffered.start(index) <= currentTime + 0.1 && currentTime < buffered.end(index)) return buffered.end(index);
    }
    return -Infinity;
  }

  /** A new media source for segments of this kind, at this time. @param {Segment} segment @param {number} at */
  async #open(segment, at) {
    const playing = this.live || !this.video.paused;
    const source = new MediaSource();
    const opened = new Promise((resolve) => source.addEventListener("sourceopen", resolve, { once: true }));
    const address = URL.createObjectURL(source);
    const rate = this.video.playbackRate;
    this.#show(address);
    await opened;
    URL.revokeObjectURL(address);
    this.#source = source;
    this.#kind = kindOf(segment);
    this.#type = typeOf(segment);
    this.#header = "";
    this.#buffer = source.addSourceBuffer(this.#type);
    if (!this.live) this.#lengthen();
    this.video.currentTime = at;
    this.video.playbackRate = rate;
    if (playing) this.video.play().catch(() => undefined); // the page has a button where a touch is wanted first
    this.dispatchEvent(new Event("ready"));
  }

  /** @param {Segment} segment @param {AbortSignal} signal */
  async #append(segment, signal) {
    if (segment.header !== this.#header) {
      if (typeOf(segment) !== this.#type) this.#buffer?.changeType((this.#type = typeOf(segment)));
      await this.#give(await fetched(segment.header, signal));
      this.#header = segment.header;
    }
    const old = this.video.currentTime - BEHIND;
    if (old > 0 && this.#buffer && this.video.buffered.length && this.video.buffered.start(0) < old - BEHIND) {
      this.#buffer.remove(0, old);
      await settled(this.#buffer);
    }
    await this.#give(await fetched(segment.url, signal));
  }

  /** @param {ArrayBuffer} data */
  async #give(data) {
    const buffer = /** @type {SourceBuffer} */ (this.#buffer);
    buffer.appendBuffer(data);
    await settled(buffer);
  }

  /** Where playing stands before a hole, it goes on behind it. */
  #skipGap() {
    const { buffered, currentTime, seeking } = this.video;
    if (this.#reach() - currentTime > 0.15) return;
    for (let index = 0; index < buffered.length && !seeking; index += 1) {
      if (buffered.start(index) > currentTime) return void (this.video.currentTime = buffered.start(index) + 0.01);
    }
  }

  /** Stays a few seconds behind the class, neither more nor less. @param {Playlist} list */
  #keepUp(list) {
    const last = list.segments.at(-1);
    if (!last || !this.#source) return;
    const behind = last.start + last.seconds - this.video.currentTime;
    if (behind > TOO_FAR) {
      this.#next = Math.max(this.#next, list.number + Math.max(0, list.segments.length - BEGIN_BEHIND));
      const wanted = list.segments.at(-BEGIN_BEHIND) ?? last;
      if (this.video.currentTime < wanted.start) this.video.currentTime = wanted.start;
    }
    this.video.playbackRate = behind > HURRY ? 1.08 : 1;
  }

  /** The person chose another moment. */
  #seek() {
    const list = this.playlist;
    const time = this.video.currentTime;
    if (!list || this.live || this.#reach() > time) return;
    const after = list.segments.findIndex((each) => each.start + each.seconds > time);
    this.#next = list.number + (after < 0 ? list.segments.length : after);
    const segment = list.segments[after];
    if (segment && kindOf(segment) !== this.#kind) this.#kind = ""; // `#step` opens another media source
  }
}

/** @param {string} address @param {AbortSignal} signal @returns {Promise<ArrayBuffer>} */
async function fetched(address, signal) {
  const response = await fetch(address, { signal });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  return response.arrayBuffer();
}

/** @param {SourceBuffer} buffer */
function settled(buffer) {
  return new Promise((resolve, reject) => {
    buffer.addEventListener("updateend", resolve, { once: true });
    buffer.addEventListener("error", () => reject(new Error("the browser cannot read a segment")), { once: true });
  });
}
