/** Receiving: a WHEP client that waits while nobody sends and comes back by itself. */
import { MediaLink } from "./link.js";

/** @typedef {import("./link.js").Grant} Grant */

const PATIENCE = 2; // sound is sent fifty times a second even while the teacher is silent

export class Subscriber extends MediaLink {
  /**
   * @param {() => Promise<Grant>} grant
   * @param {HTMLVideoElement} video shows the picture; the last one stays while the line is away: freeze, do not go black
   */
  constructor(grant, video) {
    super({ grant, ready: (pc) => this.#ask(pc), heard: received, patience: PATIENCE });
    this.video = video;
  }

  /** @param {RTCPeerConnection} pc */
  #ask(pc) {
    const stream = new MediaStream();
    pc.addTransceiver("audio", { direction: "recvonly" });
    pc.addTransceiver("video", { direction: "recvonly" });
    pc.addEventListener("track", (event) => {
      stream.addTrack(event.track);
      event.track.addEventListener("unmute", () => this.#show(stream), { once: true });
    });
  }

  /** @param {MediaStream} stream */
  #show(stream) {
    if (this.video.srcObject === stream) return;
    this.video.srcObject = stream;
    this.dispatchEvent(new Event("media"));
  }
}

/** @param {RTCPeerConnection} pc @returns {Promise<number>} RTP packets received */
async function received(pc) {
  let packets = 0;
  for (const report of (await pc.getStats()).values()) {
    if (report.type === "inbound-rtp") packets += report.packetsReceived ?? 0;
  }
  return packets;
}
