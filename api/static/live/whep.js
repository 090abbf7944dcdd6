/** Receiving: a WHEP client that waits while nobody sends and comes back by itself. */
import { MediaLink } from "./link.js";

/** @typedef {import("./link.js").Grant} Grant */

const PATIENCE = 2; // sound is sent fifty times a second even while the teacher is silent; sender reports where all is paused
const LOSSY = 0.01; // share of packets asked for again above which sound waits for its repair
const CALM_AFTER = 60; // watches without such loss until sound is as early as it can be again

export class Subscriber extends MediaLink {
  #before = { received: 0, asked: 0 };
  #calm = CALM_AFTER;

  /**
   * @param {() => Promise<Grant>} grant
   * @param {HTMLVideoElement} video shows the picture; the last one stays while the line is away: freeze, do not go black
   * @param {number} [patience] watches without a packet before the line is doubted
   */
  constructor(grant, video, patience = PATIENCE) {
    super({ grant, ready: (pc) => this.#ask(pc), heard: (pc) => this.#received(pc), patience });
    this.video = video;
  }

  /** @param {RTCPeerConnection} pc */
  #ask(pc) {
    const stream = new MediaStream();
    pc.addTransceiver("audio", { direction: "recvonly" });
    pc.addTransceiver("video", { direction: "recvonly" });
    pc.addEventListener("track", (event) => {
      const begins = () => {
        stream.addTrack(event.track); // not before: a picture that never comes would hold the sound up
        this.#show(stream);
      };
      event.track.addEventListener("unmute", begins, { once: true });
    });
  }

  /** @param {MediaStream} stream */
  #show(stream) {
    if (this.video.srcObject === stream) return;
    this.video.srcObject = stream;
    this.dispatchEvent(new Event("media"));
  }

  /** @param {RTCPeerConnection} pc @returns {Promise<number>} RTP packets and sender reports received */
  async #received(pc) {
    const now = { received: 0, asked: 0 };
    let packets = 0;
    let roundTrip = 0;
    for (const report of (await pc.getStats()).values()) {
      if (report.type === "candidate-pair" && report.nominated) roundTrip = Math.max(roundTrip, report.currentRoundTripTime ?? 0);
      if (report.type === "remote-outbound-rtp") packets += report.reportsSent ?? 0;
      if (report.type !== "inbound-rtp") continue;
      packets += report.packetsReceived ?? 0;
      if (report.kind === "audio") {
        now.received += report.packetsReceived ?? 0;
        now.asked += (report.nackCount ?? 0) + (report.packetsLost ?? 0);
      }
    }
    this.#await(pc, now, roundTrip);
    return packets;
  }

  /**
   * On a line that loses, sound is played late enough that what is asked for again arrives in time.
   * @param {RTCPeerConnection} pc
   * @param {{received: number, asked: number}} now
   * @param {number} roundTrip seconds
   */
  #await(pc, now, roundTrip) {
    const [received, asked] = [now.received - this.#before.received, now.asked - this.#before.asked];
    this.#before = now;
    this.#calm = received > 0 && asked > LOSSY * received ? 0 : this.#calm + 1;
    const wait = this.#calm < CALM_AFTER ? Math.min(800, 150 + 1500 * roundTrip) : null;
    for (const receiver of pc.getReceivers()) {
      if (wait === null || (receiver.jitterBufferTarget ?? 0) < wait) receiver.jitterBufferTarget = wait;
    }
  }
}
