/** Receiving: a WHEP client that waits while nobody sends and comes back by itself. */
import { MediaLink } from "./link.js";

/** @typedef {import("./link.js").Grant} Grant */

const SILENT_FOR = 5; // watches without one packet: the session is asked for anew (409 then says that nobody sends)

export class Subscriber extends MediaLink {
  #packets = -1;
  #still = 0;

  /**
   * @param {() => Promise<Grant>} grant
   * @param {HTMLVideoElement} video shows the picture; the last one stays while the line is away: freeze, do not go black
   */
  constructor(grant, video) {
    super({ grant, ready: (pc) => this.#ask(pc), alive: (pc) => this.#flows(pc) });
    this.video = video;
  }

  /** @param {RTCPeerConnection} pc */
  #ask(pc) {
    this.#packets = -1;
    this.#still = 0;
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

  /**
   * Whether packets still come. Sound is sent even while the teacher is silent, so nothing at all means that the
   * publication is gone or that this session is.
   * @param {RTCPeerConnection} pc
   */
  async #flows(pc) {
    let packets = 0;
    for (const report of (await pc.getStats()).values()) {
      if (report.type === "inbound-rtp") packets += report.packetsReceived;
    }
    this.#still = packets === this.#packets ? this.#still + 1 : 0;
    this.#packets = packets;
    this.dispatchEvent(new CustomEvent("flow", { detail: this.#still === 0 }));
    return this.#still < SILENT_FOR;
  }
}
