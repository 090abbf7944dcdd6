/** Camera and microphone: choice, preview, level meter, music mode. */
import { QUALITIES } from "./whip.js";

/** @typedef {{camera: string, microphone: string, music: boolean, quality: "clear"|"smooth"}} Choice */

const KEPT = "sanke.devices";

/** The choice made last time on this machine. @returns {Choice} */
export function keptChoice() {
  const fallback = /** @type {Choice} */ ({ camera: "", microphone: "", music: false, quality: "clear" });
  try {
    const kept = { ...fallback, ...JSON.parse(localStorage.getItem(KEPT) || "{}") };
    return kept.quality in QUALITIES ? kept : { ...kept, quality: "clear" };
  } catch {
    return fallback;
  }
}

/** @param {Choice} choice */
export function keepChoice(choice) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(choice));
  } catch {
    // a browser that keeps nothing: the choice holds for this page
  }
}

/**
 * Music mode sends the sound as it is: echo cancelling and noise suppression eat instruments and singing.
 * @param {Choice} choice
 * @returns {MediaTrackConstraints}
 */
export function soundConstraints(choice) {
  const processed = !choice.music;
  return {
    deviceId: choice.microphone ? { ideal: choice.microphone } : undefined,
    echoCancellation: processed,
    noiseSuppression: processed,
    autoGainControl: processed,
    channelCount: { ideal: choice.music ? 2 : 1 },
  };
}

/** @param {Choice} choice @returns {MediaTrackConstraints} */
export function pictureConstraints(choice) {
  const { width, height, frameRate } = QUALITIES[choice.quality];
  return {
    deviceId: choice.camera ? { ideal: choice.camera } : undefined,
    width: { ideal: width },
    height: { ideal: height },
    frameRate: { ideal: frameRate, max: 30 },
  };
}

/**
 * Opens camera and microphone; where one is missing, the other alone.
 * @param {Choice} choice
 * @returns {Promise<{stream: MediaStream, missing: ("camera"|"microphone"|"permission")[]}>}
 */
export async function openDevices(choice) {
  const wanted = { audio: soundConstraints(choice), video: pictureConstraints(choice) };
  if (!navigator.mediaDevices) return { stream: new MediaStream(), missing: ["permission"] };
  try {
    return { stream: await navigator.mediaDevices.getUserMedia(wanted), missing: [] };
  } catch (error) {
    if (/** @type {DOMException} */ (error).name === "NotAllowedError") return { stream: new MediaStream(), missing: ["permission"] };
  }
  const stream = new MediaStream();
  /** @type {("camera"|"microphone")[]} */ const missing = [];
  for (const [name, constraints] of [["microphone", { audio: wanted.audio }], ["camera", { video: wanted.video }]]) {
    try {
      const part = await navigator.mediaDevices.getUserMedia(/** @type {MediaStreamConstraints} */ (constraints));
      part.getTracks().forEach((track) => stream.addTrack(track));
    } catch {
      missing.push(/** @type {"camera"|"microphone"} */ (name));
    }
  }
  return { stream, missing };
}

/**
 * Fills the two choices with what is plugged in; names are known only after permission was given.
 * @param {HTMLSelectElement} cameras
 * @param {HTMLSelectElement} microphones
 * @param {MediaStream} stream whose devices are marked as chosen
 */
export async function listDevices(cameras, microphones, stream) {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  /** @param {HTMLSelectElement} select @param {string} kind @param {MediaStreamTrack|undefined} track */
  const fill = (select, kind, track) => {
    const chosen = track?.getSettings().deviceId;
    const options = devices
      .filter((device) => device.kind === kind && device.deviceId)
      .map((device, index) => new Option(device.label || String(index + 1), device.deviceId, false, device.deviceId === chosen));
    select.replaceChildren(...options);
    select.disabled = options.length === 0;
  };
  fill(cameras, "videoinput", stream.getVideoTracks()[0]);
  fill(microphones, "audioinput", stream.getAudioTracks()[0]);
}

/** Measures the loudness of a stream for a meter. */
export class LevelMeter {
  /** @type {AudioContext|null} */ #context = null;
  #timer = 0;

  /**
   * @param {MediaStream} stream
   * @param {(level: number) => void} show 0 … 1 on a scale of −60 … 0 dB, about ten times a second
   */
  start(stream, show) {
    this.stop();
    if (!stream.getAudioTracks().length) return show(0);
    const context = new AudioContext();
    this.#context = context;
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = window.setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      const decibels = 10 * Math.log10(power + 1e-9);
      show(Math.min(1, Math.max(0, 1 + decibels / 60)));
    }, 100);
  }

  stop() {
    clearInterval(this.#timer);
    this.#context?.close().catch(() => undefined);
    this.#context = null;
  }
}

/** @param {MediaStream} stream */
export function closeDevices(stream) {
  stream.getTracks().forEach((track) => track.stop());
}
