/**
 * A lesson for whoever attends it, a receiving classroom or a community's member: getting ready, the lead on the screen, coming back
 * by itself. What a classroom's verdict asks for beside presence is in `roll.js`.
 */
import { HttpPlayer } from "./http_player.js";
import { Refused, call, clockWords, part, step, tell, view, word } from "./page.js";
import { rollPart } from "./roll.js";
import { Room } from "./room.js";
import { rungPart } from "./rung.js";
import { drawPattern, measureLine, playNotes } from "./selftest.js";
import { grantFor } from "./source.js";
import { readReceived } from "./stats.js";
import { speakingPart } from "./speaking.js";
import { Views } from "./views.js";
import { Subscriber } from "./whep.js";

/** @typedef {import("./room.js").Snapshot} Snapshot */
/** @typedef {import("./room.js").Side} Side */

const door = `/api/live/${view.occurrence}`;
const over = ["ended", "judged", "cancelled"];
const video = /** @type {HTMLVideoElement} */ (part("video"));
const room = new Room(`/live/${view.occurrence}`);
const subscriber = new Subscriber(grantFor("lead", "subscribe"), video);
const overHttp = new HttpPlayer(room, subscriber, { lead: video, screen: part("screen-video") });
const views = new Views();
const speaking = speakingPart(room);
const roll = view.attends === "receiver" ? rollPart(room, show) : null;
let handUp = false;

/* ---- picture and sound */

/** Plays with sound; where the browser wants a touch first, silently, with one big button. */
async function play() {
  const voices = views.voices.filter((each) => each.srcObject || each.src);
  for (const each of voices) {
    try {
      each.muted = false;
      await each.play();
    } catch {
      each.muted = true;
      await each.play().catch(() => undefined);
    }
  }
  part("sound-on").hidden = !voices.some((each) => each.muted);
}

function showLink() {
  const delay = overHttp.delay;
  const state = room.snapshot?.state !== "live" ? "idle" : delay === null ? subscriber.state : "connected";
  document.body.dataset.link = state;
  const words = over.includes(room.snapshot?.state ?? "") ? "classroom.over" : `live.link_${state}`;
  tell(part("link-words"), delay === null ? word(words) : word("live.link_http", { seconds: delay }));
  tell(part("link-note"), state === "idle" ? "" : word(`classroom.link_note_${state}`));
}

/* ---- the lesson */

/** @param {Snapshot} snapshot */
function show(snapshot) {
  const own = snapshot.sides.find((side) => side.id === room.side);
  const lead = snapshot.sides.find((side) => side.side === "lead");
  document.body.dataset.state = snapshot.state;
  if (own) showOwn(own);
  overHttp.show(snapshot);
  part("recorded").hidden = snapshot.recording !== "on";
  speaking.show(snapshot);
  views.show(snapshot, room.side, speaking.voice.camera !== null);
  if (snapshot.state === "live") {
    subscriber.start();
    if (lead?.connected && subscriber.state === "waiting") subscriber.wake();
  } else if (over.includes(snapshot.state)) finish();
  showLink();
}

/** @param {Side} own */
function showOwn(own) {
  step("tested", own.tested, word(own.tested ? "classroom.tested_done" : "classroom.test_why"));
  roll?.show(own);
  handUp = own.hand !== null;
  part("hand").setAttribute("aria-pressed", String(handUp));
  tell(part("hand").querySelector("[data-f=label]"), word(handUp ? "classroom.hand_down" : "classroom.hand_up"));
}

let finished = false;

/** The class is over: a last word, then on to what comes after it. */
async function finish() {
  if (finished) return;
  finished = true;
  await subscriber.stop(true);
  setTimeout(() => location.assign(view.after), 20_000);
}

function tick() {
  const snapshot = room.snapshot;
  if (!snapshot) return;
  const now = room.now();
  const toStart = (Date.parse(snapshot.starts_at) - now) / 1000;
  part("countdown").hidden = toStart <= 0;
  tell(part("countdown"), clockWords(toStart));
  tell(part("countdown-note"), word(toStart > 0 ? "classroom.until_start" : "classroom.wait_teacher"));
  if (snapshot.opened_at) tell(part("timer"), clockWords((now - Date.parse(snapshot.opened_at)) / 1000));
}

async function tellSeen() {
  const seen = await readReceived(subscriber.pc);
  if (seen) room.send("stats", { received: seen, sessions: subscriber.sessions, restarts: subscriber.restarts });
}

/* ---- self-test */

function selfTest() {
  const dialog = part("test-dialog");
  const result = { picture: false, sound: false };
  let stopPattern = () => undefined;
  const stage = (/** @type {string} */ name) => {
    dialog.dataset.stage = name;
    dialog.querySelector(`[data-stage=${name}] button`)?.focus();
  };
  const line = async () => {
    stage("line");
    const measured = await measureLine("/healthz");
    const weak = measured.lost > 0 || (measured.round_trip_ms ?? 9999) > 400;
    const outcome = !result.picture || !result.sound || measured.lost > measured.asked / 2 ? "failed" : weak ? "weak" : "ok";
    tell(part("test-outcome"), word(`live.test_${outcome}`));
    tell(part("test-line"), word("classroom.test_line_result", { ms: measured.round_trip_ms ?? "–", lost: measured.lost }));
    dialog.dataset.outcome = outcome;
    stage("done");
    try {
      show((await call("POST", `${door}/self-test`, { ...result, ...measured })).state);
    } catch (error) {
      if (error instanceof Refused) tell(part("test-line"), error.message);
    }
  };
  for (const opener of document.querySelectorAll("[data-open=test]")) {
    opener.addEventListener("click", () => {
      dialog.showModal();
      stopPattern = drawPattern(part("test-pattern"));
      stage("picture");
    });
  }
  dialog.addEventListener("close", () => stopPattern());
  dialog.addEventListener("click", (/** @type {Event} */ event) => {
    const answer = /** @type {HTMLElement} */ (event.target).closest("[data-answer]")?.getAttribute("data-answer");
    if (answer === "seen" || answer === "unseen") {
      result.picture = answer === "seen";
      stage("sound");
      playNotes();
    } else if (answer === "again") playNotes();
    else if (answer === "heard" || answer === "unheard") {
      result.sound = answer === "heard";
      line();
    } else if (answer === "close") dialog.close();
  });
}

/* ---- wiring */

selfTest();
rungPart(room, subscriber);
part("sound-on").addEventListener("click", play);
document.addEventListener("click", () => part("sound-on").hidden || play());
part("hand").addEventListener("click", () => room.send("hand", { up: !handUp }));
part("leave").addEventListener("click", async () => {
  await Promise.all([subscriber.stop(), speaking.voice.sender.stop()]);
  room.stop();
  location.assign(roll ? `${view.home}?left=${view.occurrence}` : view.home);
});
part("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => undefined);
});
document.addEventListener("keydown", (event) => {
  if (event.target !== document.body || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "h") part("hand").click();
  if (event.key === "f") part("full").click();
  if (event.key === "s") views.swap();
  if (event.key === "m") part("mute").click();
});
room.addEventListener("welcome", () => room.snapshot && show(room.snapshot));
room.addEventListener("state", () => room.snapshot && show(room.snapshot));
room.addEventListener("notice", (event) => {
  tell(part("notice"), /** @type {CustomEvent} */ (event).detail.text);
  part("notice").hidden = false;
  setTimeout(() => (part("notice").hidden = true), 30_000);
});
room.addEventListener("line", () => {
  part("line-lost").hidden = room.state !== "reconnecting";
  if (room.state !== "open") return;
  subscriber.wake();
  roll?.handIn();
});
subscriber.addEventListener("state", showLink);
subscriber.addEventListener("media", play);
overHttp.addEventListener("delay", showLink);
overHttp.addEventListener("media", play);
views.addEventListener("media", play);
speaking.voice.addEventListener("change", () => room.snapshot && views.show(room.snapshot, room.side, speaking.voice.camera !== null));
setInterval(tick, 500);
setInterval(tellSeen, 5000);
room.start();

/** For the browser tests and for support: what this page knows, and what it receives of a source that comes and goes. */
const received = (/** @type {import("./source.js").Follower|undefined} */ follower) => readReceived(follower?.subscriber?.pc ?? null);
Object.assign(window, { sanke: { overHttp, received, room, subscriber, views, voice: speaking.voice, readReceived: () => readReceived(subscriber.pc) } });
