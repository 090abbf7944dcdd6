/** The sources of a class: join tokens for them, one that comes and goes, and a sender whose tracks change without negotiation. */
import { MediaLink } from "./link.js";
import { call, view } from "./page.js";
import { Subscriber } from "./whep.js";
import { reported } from "./whip.js";

/** @typedef {import("./link.js").Grant} Grant */
/**
 * One track as it is sent now; `track` is null while nothing is.
 * @typedef {{kind: "audio"|"video", track: MediaStreamTrack|null, encoding: RTCRtpEncodingParameters}} Outgoing
 */

const PATIENCE = 4; // the relay reports on what it receives about once a second

/**
 * Fetches a token for one source of this class.
 * @param {string} source `lead`, `screen` or `class:<side>`
 * @param {"publish"|"subscribe"} role
 * @returns {() => Promise<Grant>}
 */
export function grantFor(source, role) {
  return async () => {
    const join = await call("POST", `/api/live/${view.occurrence}/join`, { source, role });
    return { url: join.url, token: join.token, iceServers: join.ice_servers };
  };
}

/** A source that is received while it is wanted: `media` when its picture begins, `state` as its session says. */
export class Follower extends EventTarget {
  /** @type {Subscriber|null} */ subscriber = null;
  /** The source that is followed now. */ source = "";

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    super();
    this.video = video;
  }

  /** Its session is being made. */
  get opening() {
    return this.subscriber?.state === "connecting";
  }

  /**
   * @param {string} source what to receive from now on; empty: nothing
   * @param {boolean} [over] the relay has ended the old one itself
   */
  follow(source, over = false) {
    if (source === this.source) return;
    this.source = source;
    this.subscriber?.stop(over);
    this.subscriber = null;
    this.video.srcObject = null;
    if (!source) return;
    // a classroom without the floor sends no sound, and one without a camera nothing: its silence proves nothing
    this.subscriber = new Subscriber(grantFor(source, "subscribe"), this.video, Infinity);
    this.subscriber.addEventListener("media", () => this.dispatchEvent(new Event("media")));
    this.subscriber.addEventListener("state", () => this.dispatchEvent(new Event("state")));
    this.subscriber.start();
  }
}

/** Sends up to one picture and one sound, and takes others in their place while it runs. */
export class Sender extends MediaLink {
  /**
   * @param {() => Promise<Grant>} grant
   * @param {() => Outgoing[]} outgoing what to send now: always the same kinds, in the same order
   */
  constructor(grant, outgoing) {
    super({ grant, ready: (pc) => this.#offer(pc), heard: reported, patience: PATIENCE });
    this.outgoing = outgoing;
  }

  /** @param {RTCPeerConnection} pc */
  #offer(pc) {
    for (const { kind, track, encoding } of this.outgoing()) {
      pc.addTransceiver(track ?? kind, { direction: "sendonly", streams: [new MediaStream()], sendEncodings: [encoding] });
    }
  }

  /** Sends what is to be sent now; while connected, without a new negotiation. */
  async update() {
    const transceivers = this.pc?.getTransceivers() ?? [];
    for (const [index, { track, encoding }] of this.outgoing().entries()) {
      const sender = transceivers[index]?.sender;
      if (!sender) continue;
      if (sender.track !== track) await sender.replaceTrack(track);
      const parameters = sender.getParameters();
      if (!parameters.encodings?.[0]) continue;
      Object.assign(parameters.encodings[0], encoding);
      await sender.setParameters(parameters);
    }
  }
}
