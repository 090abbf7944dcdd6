/** The lesson page of the lead teacher: preparation, the running class, its end. */
import { LevelMeter, closeDevices, keepChoice, keptChoice, listDevices, openDevices } from "./devices.js";
import { Refused, call, clockWords, comeBackAtDoors, part, tell, view, word } from "./page.js";
import { Room } from "./room.js";
import { readReceived, readSent } from "./stats.js";
import { RoomEncoder } from "./encoder.js";
import { Gallery } from "./gallery.js";
import { recordingPart } from "./recording.js";
import { Share } from "./share.js";
import { grantFor } from "./source.js";
import { presenceOf, showTiles } from "./tiles.js";
import { showVitals, uploadWords } from "./vitals.js";
import { Publisher, QUALITIES } from "./whip.js";

/** @typedef {import("./room.js").Snapshot} Snapshot */

const QUIET_AFTER = 8000; // ms without a sound until the microphone is doubted
const door = `/api/live/${view.occurrence}`;
const choice = keptChoice();
const room = new Room(`/live/${view.occurrence}`);
const meter = new LevelMeter();
const publisher = new Publisher(grantFor("lead", "publish"));
const share = new Share();
const showRecording = recordingPart(guarded);
const encoder = isOver() ? null : new RoomEncoder(door, part("preview"));
const gallery = isOver() ? null : new Gallery(part("tiles"), part("pages"));
let stream = new MediaStream();
/** How often camera and microphone were opened, or given up. */
let used = 0;
let tested = "";
/** Since when the open microphone is silent. */
let silentSince = NaN;

/** Sends the page's own picture and sound, unless a recording room's encoder sends in its place. */
function send() {
  if (encoder?.used === null) publisher.start();
}

/** The encoder took the page's place, or gave it back. */
async function changeSender() {
  if (encoder?.used !== null) {
    await publisher.stop();
    used += 1;
    closeDevices(stream);
    part("preview-empty").hidden = true;
  } else {
    await useDevices();
    if (room.snapshot?.state === "live") send();
  }
}

/* ---- devices */

async function useDevices() {
  const mine = (used += 1);
  closeDevices(stream);
  const opened = await openDevices(choice);
  if (mine !== used) return closeDevices(opened.stream); // something else was chosen meanwhile
  stream = opened.stream;
  part("preview").srcObject = stream;
  part("preview-empty").hidden = stream.getVideoTracks().length > 0;
  await listDevices(part("camera"), part("microphone"), stream);
  mute("audio", part("mute-sound").getAttribute("aria-pressed") === "true");
  mute("video", part("mute-picture").getAttribute("aria-pressed") === "true");
  meter.start(stream, showLevel);
  check("camera", opened.missing.includes("camera") || opened.missing.includes("permission") ? "bad" : "good");
  silentSince = stream.getAudioTracks().length ? performance.now() : NaN;
  check("microphone", opened.missing.includes("microphone") || opened.missing.includes("permission") ? "bad" : "wait");
  tell(part("device-error"), opened.missing.map((name) => word(`live.missing_${name}`)).join(" "));
  await publisher.send(stream, { maxBitrate: QUALITIES[choice.quality].maxBitrate, music: choice.music });
}

/** @param {number} level */
function showLevel(level) {
  part("level").value = level;
  if (level > 0.2) {
    silentSince = NaN;
    check("microphone", "good"); // about −48 dB: somebody spoke
  } else if (performance.now() - silentSince > QUIET_AFTER) check("microphone", "quiet");
  part("stage").toggleAttribute("data-quiet", part("check-microphone").dataset.result === "quiet");
}

/** @param {string} name @param {"good"|"bad"|"wait"|"quiet"} result `quiet`: open, but nothing was heard yet */
function check(name, result) {
  const row = part(`check-${name}`);
  if (row.dataset.result === result || (result === "wait" && row.dataset.result === "good")) return;
  row.dataset.result = result;
  tell(row.querySelector("[data-f=words]"), word(`teacher.check_${name}_${result}`));
  storeTest();
}

/** Stores the device check once it has an outcome, as the lead's self-test. */
function storeTest() {
  const [picture, sound] = ["camera", "microphone"].map((name) => part(`check-${name}`).dataset.result);
  const outcome = `${picture}/${sound}`;
  if (picture === "wait" || sound === "wait" || sound === "quiet" || outcome === tested || isOver()) return;
  tested = outcome;
  const body = { picture: picture === "good", sound: sound === "good", round_trip_ms: null, lost: 0, asked: 0 };
  call("POST", `${door}/self-test`, body).catch(() => {
    tested = ""; // too early, or offline: stored at the next change
  });
}

/** What the recording room sends is the lead's device check. */
function storeEncoderTest() {
  const sound = Boolean(encoder?.state?.found?.sound);
  call("POST", `${door}/self-test`, { picture: true, sound, round_trip_ms: null, lost: 0, asked: 0 }).catch(() => {});
}

/** @param {"audio"|"video"} kind @param {boolean} off */
function mute(kind, off) {
  stream.getTracks().filter((track) => track.kind === kind).forEach((track) => (track.enabled = !off));
}

/** @param {HTMLElement} button @param {"audio"|"video"} kind @param {string} name */
function muteButton(button, kind, name) {
  button.addEventListener("click", () => {
    const off = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(off));
    tell(button.querySelector("[data-f=label]"), word(`teacher.${name}_${off ? "on" : "off"}`));
    mute(kind, off);
    part("stage").toggleAttribute(`data-no-${kind}`, off);
  });
}

/* ---- the class */

function isOver() {
  return ["ended", "judged", "cancelled"].includes(room.snapshot?.state ?? view.state);
}

/** @param {HTMLButtonElement} button @param {() => Promise<unknown>} act */
async function guarded(button, act) {
  button.disabled = true;
  tell(part("act-error"), "");
  try {
    await act();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    tell(part("act-error"), error.message);
  } finally {
    button.disabled = false;
  }
}

async function startClass() {
  await call("POST", `${door}/open`, {});
  send();
}

async function endClass() {
  await call("POST", `${door}/close`, {});
  part("end-dialog").close();
  await Promise.all([publisher.stop(true), share.stop(true)]);
  location.reload();
}

/** @param {Snapshot} snapshot */
function show(snapshot) {
  const others = snapshot.sides.filter((side) => side.side !== "lead");
  const live = snapshot.state === "live";
  document.body.dataset.state = snapshot.state;
  showRecording(snapshot.recording);
  showTiles(part("tiles"), part("tile"), others, live, snapshot.floor);
  gallery?.show(others, live, snapshot.floor);
  const count = (/** @type {(side: import("./room.js").Side) => boolean} */ test) => others.filter(test).length;
  const arrived = count((side) => side.here || side.connected);
  const fields = { n: live ? count((side) => presenceOf(side, live) === "watching") : arrived, all: others.length };
  tell(part("who"), word(live ? "teacher.watching_n" : "teacher.arrived_n", fields));
  const row = part("check-classes");
  row.dataset.result = arrived === others.length ? "good" : "wait";
  tell(row.querySelector("[data-f=words]"), word("teacher.arrived_n", { n: arrived, all: others.length }));
  encoder?.told(snapshot.encoder ?? null);
  if (live) send();
  if (isOver()) share.stop(true);
  if (isOver() && !isOverAtFirst) publisher.stop(true).then(() => location.reload());
}

const isOverAtFirst = isOver();

/** The clock on the stage: until the start, since the start, past the end. */
function tick() {
  const snapshot = room.snapshot;
  if (!snapshot) return;
  const now = room.now();
  const left = (Date.parse(snapshot.starts_at) - now) / 1000;
  const clock = part("clock");
  if (snapshot.state === "live" && snapshot.opened_at) {
    tell(clock, clockWords((now - Date.parse(snapshot.opened_at)) / 1000));
    const rest = (Date.parse(snapshot.ends_at) - now) / 1000;
    tell(part("clock-note"), rest >= 0 ? word("teacher.ends_in", { time: clockWords(rest) }) : word("teacher.over_time"));
  } else if (!isOver()) {
    tell(clock, left > 0 ? clockWords(left) : "00:00");
    tell(part("clock-note"), word(left > 0 ? "teacher.until_start" : "teacher.due_now"));
  }
}

/* ---- the floor and the screen */

/** @param {string|undefined} side gets the floor, or loses it where it has it */
function passFloor(side) {
  if (side) room.send("floor", { side: room.snapshot?.floor === side ? null : side });
}

/** Digits give the floor to the class of that number and take it back; 0 takes it back from whoever has it. @param {KeyboardEvent} event */
function floorKey(event) {
  const typing = /** @type {HTMLElement} */ (event.target).closest("input, select, textarea, dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || room.snapshot?.state !== "live") return;
  if (event.key === "0") room.send("floor", { side: null });
  else if (/^[1-9]$/.test(event.key)) passFloor(room.snapshot.sides.filter((side) => side.side !== "lead")[Number(event.key) - 1]?.id);
}

function showShare() {
  part("share").setAttribute("aria-pressed", String(share.on));
  tell(part("share").querySelector("[data-f=label]"), word(share.on ? "teacher.share_stop" : "teacher.share_start"));
  part("sharing").hidden = !share.on;
}

async function toggleShare() {
  tell(part("act-error"), "");
  if (share.on) return share.stop();
  const trouble = await share.start();
  if (trouble === "impossible") tell(part("act-error"), word("teacher.share_impossible"));
}

/** What did not reach the relay of our own picture and sound, in percent. @type {number|null} */
let lost = null;

/** @param {import("./vitals.js").Media} media */
function showMedia(media) {
  lost = media.sessions.find((each) => each.side === room.side && each.source === "lead")?.lost_percent ?? null;
  const seeing = new Set(media.sessions.filter((each) => each.source === "screen" && each.role === "subscriber").map((each) => each.side));
  const all = (room.snapshot?.sides.length ?? 1) - 1;
  tell(part("sharing-seen"), share.on ? word("teacher.watching_n", { n: seeing.size, all }) : "");
  showVitals(part("tiles"), media);
}

async function showUpload() {
  if (publisher.pc) tell(part("upload"), uploadWords(await readSent(publisher.pc), lost));
}

async function tellSent() {
  const sent = await readSent(publisher.pc);
  if (sent) room.send("stats", { sent, sessions: publisher.sessions, restarts: publisher.restarts });
}

function showLink() {
  const pill = part("link");
  pill.dataset.state = publisher.state;
  tell(pill.querySelector("[data-f=words]"), word(`live.link_${publisher.state}`));
}

function showLine() {
  part("check-line").dataset.result = room.state === "open" ? "good" : "wait";
  tell(part("check-line").querySelector("[data-f=words]"), word(`live.line_${room.state}`));
  part("line-lost").hidden = room.state !== "reconnecting";
}

/* ---- wiring */

function wire() {
  part("camera").addEventListener("change", () => ((choice.camera = part("camera").value), changed()));
  part("microphone").addEventListener("change", () => ((choice.microphone = part("microphone").value), changed()));
  part("quality").addEventListener("change", () => ((choice.quality = part("quality").value), changed()));
  part("music").addEventListener("change", () => ((choice.music = part("music").checked), changed()));
  muteButton(part("mute-sound"), "audio", "mute_sound");
  muteButton(part("mute-picture"), "video", "mute_picture");
  part("start").addEventListener("click", () => guarded(part("start"), startClass));
  part("end").addEventListener("click", () => part("end-dialog").showModal());
  part("end-cancel").addEventListener("click", () => part("end-dialog").close());
  part("end-confirm").addEventListener("click", () => guarded(part("end-confirm"), endClass));
  part("tiles").addEventListener("click", (/** @type {Event} */ event) => {
    const lower = /** @type {HTMLElement} */ (event.target).closest("[data-lower]");
    if (lower) room.send("lower", { side: /** @type {HTMLElement} */ (lower).dataset.lower });
    passFloor(/** @type {HTMLElement} */ (event.target).closest("[data-floor]")?.getAttribute("data-floor") ?? undefined);
  });
  part("share").addEventListener("click", toggleShare);
  share.addEventListener("change", showShare);
  document.addEventListener("keydown", floorKey);
  room.addEventListener("media", (event) => showMedia(/** @type {CustomEvent} */ (event).detail));
  room.addEventListener("error", (event) => tell(part("act-error"), /** @type {CustomEvent} */ (event).detail.words ?? ""));
  part("notice-form").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    if (room.send("notice", { text: part("notice-text").value })) part("notice-text").value = "";
  });
}

function changed() {
  keepChoice(choice);
  useDevices();
}

async function begin() {
  await encoder?.open();
  if (encoder?.used === null) await useDevices();
  if (view.state === "live") send();
}

if (!isOverAtFirst) {
  part("quality").value = choice.quality;
  part("music").checked = choice.music;
  wire();
  room.addEventListener("welcome", () => room.snapshot && show(room.snapshot));
  room.addEventListener("state", () => room.snapshot && show(room.snapshot));
  room.addEventListener("line", showLine);
  room.addEventListener("line", () => room.state === "open" && publisher.wake());
  encoder?.addEventListener("change", changeSender);
  encoder?.addEventListener("live", storeEncoderTest);
  publisher.addEventListener("state", showLink);
  navigator.mediaDevices?.addEventListener("devicechange", () => listDevices(part("camera"), part("microphone"), stream));
  setInterval(tick, 500);
  setInterval(tellSent, 5000);
  setInterval(showUpload, 2000);
  if (view.enterable) {
    begin();
    room.start();
  } else comeBackAtDoors();
}

/** For the browser tests and for support: what this page knows, and what it receives of a source that comes and goes. */
const received = (/** @type {import("./source.js").Follower|undefined} */ follower) => readReceived(follower?.subscriber?.pc ?? null);
Object.assign(window, { sanke: { received, room, publisher, share, gallery, readSent: () => readSent(publisher.pc) } });
