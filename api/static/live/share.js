/** The lead shows its screen or slides: a session of its own, sharp rather than smooth, that ends where the browser's own bar ends it. */
import { Sender, grantFor } from "./source.js";

const PICTURE = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { ideal: 10, max: 15 } };
const MOST = { maxBitrate: 1_800_000, maxFramerate: 15, priority: /** @type {const} */ ("medium") };
const SOUND = { maxBitrate: 96_000, priority: /** @type {const} */ ("high") };

export class Share extends EventTarget {
  /** @type {MediaStream|null} */ stream = null;
  /** @type {Sender|null} */ sender = null;

  get on() {
    return this.stream !== null;
  }

  /**
   * Asks what to show, and shows it until `stop` or until the browser's bar ends it; `change` tells of both.
   * @returns {Promise<""|"refused"|"impossible">} why nothing is shown
   */
  async start() {
    if (this.stream) return "";
    if (!navigator.mediaDevices?.getDisplayMedia) return "impossible";
    let stream;
    try {
      stream = await navigator.mediaDevices.getDisplayMedia({ video: PICTURE, audio: { echoCancellation: false } });
    } catch (error) {
      return /** @type {DOMException} */ (error).name === "NotAllowedError" ? "refused" : "impossible";
    }
    if (this.stream) {
      stream.getTracks().forEach((track) => track.stop()); // asked twice: the first one is shown
      return "";
    }
    const [picture] = stream.getVideoTracks();
    const sound = stream.getAudioTracks()[0] ?? null;
    picture.contentHint = "detail";
    picture.addEventListener("ended", () => this.stop());
    this.stream = stream;
    this.sender = new Sender(grantFor("screen", "publish"), () => [
      { kind: "video", track: picture, encoding: MOST },
      { kind: "audio", track: sound, encoding: SOUND },
    ]);
    this.sender.start();
    this.dispatchEvent(new Event("change"));
    return "";
  }

  /** @param {boolean} [over] the class has ended: the relay closed the room itself */
  async stop(over = false) {
    const { stream, sender } = this;
    if (!stream) return;
    this.stream = this.sender = null;
    stream.getTracks().forEach((track) => track.stop());
    this.dispatchEvent(new Event("change"));
    await sender?.stop(over);
  }
}
