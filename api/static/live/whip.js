/** Sending: a WHIP client (RFC 9725) that keeps its session alive. */
import { MediaLink } from "./link.js";

/** @typedef {import("./link.js").Grant} Grant */

/** What the camera is asked for and the sender may spend on all sizes together. `smooth` is for schools with a thin uplink. */
export const QUALITIES = {
  clear: { width: 1280, height: 720, frameRate: 25, maxBitrate: 1_800_000 },
  smooth: { width: 640, height: 360, frameRate: 15, maxBitrate: 450_000 },
};

/**
 * The sizes a picture is sent in at once, smallest first, so that each classroom gets one that its line carries.
 * @type {Record<number, {rid: string, scaleResolutionDownBy: number, share: number}[]>} by number of sizes
 */
const SIZES = {
  1: [{ rid: "h", scaleResolutionDownBy: 1, share: 1 }],
  2: [
    { rid: "l", scaleResolutionDownBy: 2, share: 0.22 },
    { rid: "h", scaleResolutionDownBy: 1, share: 0.78 },
  ],
  3: [
    { rid: "l", scaleResolutionDownBy: 4, share: 0.07 },
    { rid: "m", scaleResolutionDownBy: 2, share: 0.24 },
    { rid: "h", scaleResolutionDownBy: 1, share: 0.69 },
  ],
};
const SOUND = { spoken: 40_000, music: 96_000 }; // bits a second

const PATIENCE = 4; // the relay reports on what it receives about once a second

export class Publisher extends MediaLink {
  /** @type {MediaStream} */ #stream = new MediaStream();
  #bitrate = QUALITIES.clear.maxBitrate;
  #music = false;

  /** @param {() => Promise<Grant>} grant */
  constructor(grant) {
    super({ grant, ready: (pc) => this.#offer(pc), heard: reported, patience: PATIENCE });
  }

  /**
   * Sends this stream from now on; while connected, its tracks replace the old ones without a new negotiation.
   * @param {MediaStream} stream
   * @param {{maxBitrate?: number, music?: boolean}} [options] bits/s of the picture; music keeps the sound unprocessed
   */
  async send(stream, { maxBitrate = this.#bitrate, music = this.#music } = {}) {
    this.#stream = stream;
    this.#bitrate = maxBitrate;
    this.#music = music;
    for (const sender of this.pc?.getSenders() ?? []) {
      const kind = sender.track?.kind;
      const track = stream.getTracks().find((candidate) => candidate.kind === kind);
      if (track && track !== sender.track) await sender.replaceTrack(track);
    }
    await this.#limit();
  }

  /** @param {RTCPeerConnection} pc */
  #offer(pc) {
    const [sound] = this.#stream.getAudioTracks();
    const [picture] = this.#stream.getVideoTracks();
    const init = { direction: /** @type {const} */ ("sendonly"), streams: [this.#stream] };
    if (sound) pc.addTransceiver(sound, { ...init, sendEncodings: [{ maxBitrate: this.#sound }] });
    if (!picture) return;
    picture.contentHint = "motion";
    const sizes = SIZES[(picture.getSettings().height ?? 0) >= 720 ? 3 : 2];
    try {
      pc.addTransceiver(picture, { ...init, sendEncodings: sizes.map((size) => this.#encoding(size)) });
    } catch {
      pc.addTransceiver(picture, { ...init, sendEncodings: [{ maxBitrate: this.#bitrate }] }); // this browser sends one size only
    }
  }

  /** @param {{rid: string, scaleResolutionDownBy: number, share: number}} size @returns {RTCRtpEncodingParameters} */
  #encoding({ rid, scaleResolutionDownBy, share }) {
    return { rid, scaleResolutionDownBy, maxBitrate: Math.round(share * this.#bitrate) };
  }

  get #sound() {
    return this.#music ? SOUND.music : SOUND.spoken;
  }

  /** Tells the senders what they may spend; sound is never what gives way. */
  async #limit() {
    for (const sender of this.pc?.getSenders() ?? []) {
      const parameters = sender.getParameters();
      const encodings = parameters.encodings ?? [];
      if (!encodings.length || !sender.track) continue;
      const sizes = SIZES[encodings.length];
      encodings.forEach((encoding, index) => {
        encoding.maxBitrate = sender.track?.kind === "audio" ? this.#sound : Math.round(sizes[index].share * this.#bitrate);
        encoding.priority = sender.track?.kind === "audio" ? "high" : "medium";
      });
      await sender.setParameters(parameters);
    }
  }
}

/** @param {RTCPeerConnection} pc @returns {Promise<number>} packets from the relay: its reports and requests */
export async function reported(pc) {
  let packets = 0;
  for (const report of (await pc.getStats()).values()) {
    if (report.type === "transport") packets += report.packetsReceived ?? 0;
  }
  return packets;
}
