/** The replay page: camera and screen of a recording on one timeline, chapters, speed, keys. */
import { clockWords, part, tell, view, word } from "./page.js";
import { SegmentPlayer } from "./segments.js";

const APART = 0.25; // seconds the two pictures may differ before the second is moved
const JUMP = 10;

const stage = part("replay");
/** @type {SegmentPlayer[]} */
const players = view.sources.map(
  (/** @type {string} */ source) => new SegmentPlayer(part(source), `/recordings/${view.recording}/${source}.m3u8`),
);
const [main, second] = players;
const video = main.video;

/** @param {number} time seconds on the recording's timeline */
function go(time) {
  video.currentTime = Math.max(main.playlist?.segments[0]?.start ?? 0, time);
  video.play().catch(() => undefined);
}

function fill() {
  if (document.fullscreenElement) document.exitFullscreen();
  else stage.requestFullscreen?.().catch(() => undefined);
}

function toggle() {
  if (video.paused) video.play().catch(() => undefined);
  else video.pause();
}

/** Where playing stands, on the bar. */
function tellPosition() {
  const last = main.playlist?.segments.at(-1);
  const seconds = last ? last.start + last.seconds : 0;
  const bar = part("position");
  bar.max = seconds;
  if (!bar.matches(":active")) bar.value = video.currentTime;
  bar.setAttribute("aria-valuetext", clockWords(video.currentTime));
  tell(part("time"), `${clockWords(video.currentTime)} / ${clockWords(seconds)}`);
  part("toggle").toggleAttribute("data-playing", !video.paused);
  part("toggle").setAttribute("aria-label", word(video.paused ? "recording.play" : "recording.pause"));
}

/** Keeps the second picture beside the first, and shows the screen only where it was shared. */
function follow() {
  mark();
  tellPosition();
  if (!second) return;
  const held = second.holds(video.currentTime);
  stage.toggleAttribute("data-screen", held);
  if (!held) return second.video.pause();
  second.video.playbackRate = video.playbackRate;
  if (Math.abs(second.video.currentTime - video.currentTime) > APART) second.video.currentTime = video.currentTime;
  if (video.paused !== second.video.paused) video.paused ? second.video.pause() : second.video.play().catch(() => undefined);
}

/** Marks the chapter that runs. */
function mark() {
  const chapters = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-at]")]);
  const running = chapters.findLast((each) => Number(each.dataset.at) <= video.currentTime + 0.5);
  for (const each of chapters) each.toggleAttribute("data-running", each === running);
}

document.getElementById("chapters")?.addEventListener("click", (event) => {
  const chapter = /** @type {HTMLElement} */ (event.target).closest("[data-at]");
  if (chapter) go(Number(chapter.getAttribute("data-at")));
});
part("toggle").addEventListener("click", toggle);
part("full").addEventListener("click", fill);
stage.addEventListener("click", toggle);
part("position").addEventListener("input", () => (video.currentTime = Number(part("position").value)));
part("speed").addEventListener("change", () => (video.playbackRate = Number(part("speed").value)));
document.addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, select, textarea, button, video, dialog *")) return;
  const keys = {
    " ": toggle,
    k: toggle,
    ArrowLeft: () => go(video.currentTime - JUMP),
    ArrowRight: () => go(video.currentTime + JUMP),
    f: fill,
  };
  const act = keys[/** @type {keyof typeof keys} */ (event.key)];
  if (!act) return;
  event.preventDefault();
  act();
});
for (const name of ["timeupdate", "play", "pause", "seeked", "ratechange"]) video.addEventListener(name, follow);
video.addEventListener("loadeddata", () => (part("wait").hidden = true));
main.addEventListener("failed", () => (part("failed").hidden = false));
main.addEventListener("playlist", () => {
  part("failed").hidden = true;
  tellPosition();
});
for (const player of players) player.start();

/** For the browser tests and for support. */
Object.assign(window, { sanke: { players } });
