/** Sending: a WHIP client (RFC 9725) that keeps its session alive. */
import { MediaLink } from "./link.js";

/** @typedef {import("./link.js").Grant} Grant */

/** What the camera is asked for and the sender may spend. `smooth` is for schools with a thin uplink. */
export const QUALITIES = {
  clear: { width: 1280, height: 720, frameRate: 25, maxBitrate: 1_200_000 },
  smooth: { width: 640, height: 360, frameRate: 15, maxBitrate: 450_000 },
};

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
    for (const kind of ["audio", "video"]) {
      const track = this.#stream.getTracks().find((candidate) => candidate.kind === kind);
      if (!track) continue;
      if (kind === "video") track.contentHint = "motion";
      const encoding = kind === "video" ? { maxBitrate: this.#bitrate } : { maxBitrate: this.#music ? 96_000 : 40_000 };
      pc.addTransceiver(track, { direction: "sendonly", streams: [this.#stream], sendEncodings: [encoding] });
    }
  }

  /** Tells the senders what they may spend; sound is never what gives way. */
  async #limit() {
    for (const sender of this.pc?.getSenders() ?? []) {
      const parameters = sender.getParameters();
      const encoding = parameters.encodings?.[0];
      if (!encoding || !sender.track) continue;
      encoding.maxBitrate = sender.track.kind === "video" ? this.#bitrate : this.#music ? 96_000 : 40_000;
      encoding.priority = sender.track.kind === "audio" ? "high" : "medium";
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
