/** The classroom's part in the lesson: opening its camera, being asked to speak, and its own word in that. */
import { part, step, tell, word } from "./page.js";
import { Voice } from "./voice.js";

/** @typedef {import("./room.js").Snapshot} Snapshot */

/**
 * @param {import("./room.js").Room} room
 * @returns {{voice: Voice, show: (snapshot: Snapshot) => Promise<void>}}
 */
export function speakingPart(room) {
  const voice = new Voice(() => room.side);
  const own = /** @type {HTMLVideoElement} */ (part("own-video"));
  let told = "";

  /** Tells the lead what we have, once for each change and line. */
  function report() {
    const devices = JSON.stringify(voice.devices);
    if (told !== devices && room.send("devices", voice.devices)) told = devices;
  }

  function showDevices() {
    const words = voice.open ? (voice.camera ? "camera_open" : "camera_sound_only") : voice.trouble ? `camera_${voice.trouble}` : "camera_why";
    step("camera", voice.open, word(`classroom.${words}`));
    for (const button of document.querySelectorAll("[data-open=camera]")) {
      button.setAttribute("aria-pressed", String(voice.open));
      tell(button.querySelector("[data-f=label]") ?? button, word(voice.open ? "classroom.camera_close" : "classroom.do_camera"));
    }
    const shown = /** @type {MediaStream|null} */ (own.srcObject);
    if (shown?.getVideoTracks()[0] !== (voice.camera ?? undefined)) own.srcObject = voice.camera && new MediaStream([voice.camera]);
    showFloor();
    report();
  }

  function showFloor() {
    const heard = voice.speaks && voice.microphone !== null && !voice.muted;
    const state = !voice.speaks ? "none" : heard ? "live" : voice.microphone ? "muted" : "silent";
    part("floor").hidden = !voice.speaks;
    part("floor").dataset.floor = document.body.dataset.floor = state;
    if (voice.speaks) tell(part("floor-words"), word(`classroom.floor_${state}`));
    part("mute").hidden = !voice.microphone;
    part("floor-open").hidden = voice.microphone !== null;
    part("mute").setAttribute("aria-pressed", String(voice.muted));
    tell(part("mute").querySelector("[data-f=label]"), word(voice.muted ? "classroom.unmute" : "classroom.mute"));
    tell(part("own-name"), word(voice.speaks ? "classroom.own_all" : "classroom.own_lead"));
  }

  const open = () => voice.start().catch(() => undefined);
  for (const button of document.querySelectorAll("[data-open=camera]")) {
    button.addEventListener("click", () => (voice.open ? voice.stop() : open()));
  }
  part("floor-open").addEventListener("click", open);
  part("mute").addEventListener("click", () => voice.speaks && voice.mute(!voice.muted));
  part("floor-back").addEventListener("click", () => room.send("floor", { side: null }));
  voice.addEventListener("change", showDevices);
  room.addEventListener("welcome", () => {
    told = "";
    report();
  });
  showDevices();
  if (Voice.remembered()) open();

  /** @param {Snapshot} snapshot */
  async function show(snapshot) {
    await voice.follow(snapshot.state === "live", snapshot.floor === room.side);
    if (voice.open && ["ended", "judged", "cancelled"].includes(snapshot.state)) await voice.stop(true);
  }

  return { voice, show };
}
