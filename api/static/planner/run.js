// @ts-check
/** A planning run: asks for its state each second and draws what it found so far. */
import { api, busy, tell } from "../app.js";

/**
 * @typedef {{run: number, state: string, phase: string, elapsed: number, seconds_limit: number, deterministic: boolean,
 *            attempt: number, worker: string | null, served_weighted: number | null, needed_weighted: number | null, bound: number | null, gap: number | null, steps: number,
 *            plan: number | null, problem: string | null}} Run
 */

const page = /** @type {HTMLElement} */ (document.getElementById("run"));
/** @type {Record<string, string>} */
const words = JSON.parse(document.getElementById("run-words")?.textContent ?? "{}");
const values = [...page.querySelectorAll(".stat-value")];
const SVG = "http://www.w3.org/2000/svg";
/** @type {{at: number, best: number, bound: number | null}[]} */
const history = [];
const ENDED = ["done", "failed"];

/** @param {string} id @returns {HTMLElement} */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const figure = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
const share = new Intl.NumberFormat(document.documentElement.lang, { style: "percent", maximumFractionDigits: 2 });

/** @param {Element} place @param {string} text */
function put(place, text) {
  const first = place.firstChild;
  if (first && first.nodeType === Node.TEXT_NODE && first.nodeValue !== text) first.nodeValue = text;
}

/**
 * A notice that is there while there is something to say.
 * @param {string} id @param {string | null} text @param {string} tone
 */
function notice(id, text, tone) {
  part(id).hidden = text === null;
  const box = /** @type {HTMLElement} */ (part(id).querySelector(".notice"));
  box.dataset.tone = tone;
  const line = box.querySelector("div");
  if (line) line.textContent = text ?? "";
}

/** @param {Run} run */
function show(run) {
  const going = !ENDED.includes(run.state);
  const state = part("run-state");
  state.textContent = words[`state_${run.state}`] ?? run.state;
  state.dataset.tone = { done: "jade", failed: "vermilion", stopping: "ochre" }[run.state] ?? "live";
  part("run-phase").textContent = going ? (words[`phase_${run.phase}`] ?? "") : (words[`ended_${run.state}`] ?? "");
  const bar = /** @type {HTMLProgressElement} */ (part("run-progress"));
  if (going && run.deterministic) bar.removeAttribute("value");
  else bar.value = run.state === "done" ? run.seconds_limit : Math.min(run.elapsed, run.seconds_limit);
  part("run-elapsed").textContent = words.elapsed.replace("%n", String(Math.round(run.elapsed)));
  /** @param {number | null} value */
  const shown = (value) => (value === null ? "–" : figure.format(value));
  const gap = run.gap === null ? "–" : share.format(run.gap);
  const texts = [shown(run.served_weighted), shown(run.bound), gap, shown(run.needed_weighted), figure.format(run.steps)];
  texts.forEach((text, i) => put(values[i], text));
  part("run-stop").hidden = run.state !== "running" && run.state !== "queued";
  part("run-leave").hidden = !going;
  part("run-anew").hidden = going || run.problem === null;
  part("run-curve").hidden = !going && run.served_weighted === null;
  const open = /** @type {HTMLAnchorElement} */ (part("run-open"));
  open.hidden = run.plan === null;
  if (run.plan !== null) open.href = `${page.dataset.plans}/${run.plan}${page.dataset.tab}`;
  part("run-worker").textContent = run.worker === null ? "" : ` · ${words.worker.replace("%s", run.worker)}`;
  notice("run-again", going && run.attempt > 1 ? words.again.replace("%n", String(run.attempt)) : null, "ochre");
  notice("run-failed", run.problem, run.state === "done" ? "ochre" : "vermilion");
  if (run.served_weighted !== null) {
    history.push({ at: run.elapsed, best: run.served_weighted, bound: run.bound });
    draw(run);
  }
}

/**
 * The best service and the bound over time; between them lies what is still open.
 * @param {Run} run
 */
function draw(run) {
  const chart = part("run-chart");
  const [left, right, top, bottom] = [60, 1240, 12, 252];
  const until = Math.max(run.seconds_limit, history[history.length - 1].at);
  const heights = history.flatMap((each) => (each.bound === null ? [each.best] : [each.best, each.bound]));
  const high = Math.max(...heights) * 1.005 + 1;
  const low = Math.max(0, Math.min(...heights) - (high - Math.min(...heights)) * 0.35 - 1);
  /** @param {number} at */
  const x = (at) => left + ((right - left) * at) / until;
  /** @param {number} value */
  const y = (value) => bottom - ((bottom - top) * (value - low)) / (high - low);
  chart.replaceChildren();
  for (const step of [0, 0.25, 0.5, 0.75, 1]) {
    const value = low + (high - low) * step;
    add(chart, "line", { class: "axis", x1: left, x2: right, y1: y(value), y2: y(value) });
    add(chart, "text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }).textContent = figure.format(Math.round(value));
    add(chart, "text", { x: x(until * step), y: bottom + 20, "text-anchor": "middle" }).textContent = `${Math.round(until * step)} s`;
  }
  const last = history[history.length - 1];
  const bounded = history.filter((each) => each.bound !== null);
  const best = stairs(history.map((each) => [x(each.at), y(each.best)]), x(last.at));
  if (bounded.length) {
    const bound = stairs(bounded.map((each) => [x(each.at), y(each.bound ?? 0)]), x(last.at));
    const start = Math.max(x(bounded[0].at), x(history[0].at));
    const under = best.filter(([at]) => at >= start);
    add(chart, "polygon", { class: "between", points: [...bound, ...under.reverse()].map(String).join(" ") });
    add(chart, "polyline", { class: "bound", points: bound.map(String).join(" ") });
  }
  add(chart, "polyline", { class: "best", points: best.map(String).join(" ") });
}

/** @param {number[][]} points @param {number} end @returns {number[][]} */
function stairs(points, end) {
  /** @type {number[][]} */
  const found = [];
  for (const [at, value] of points) {
    if (found.length) found.push([at, found[found.length - 1][1]]);
    found.push([at, value]);
  }
  found.push([end, found[found.length - 1][1]]);
  return found;
}

/** @param {Element} chart @param {string} name @param {Record<string, string | number>} attributes */
function add(chart, name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  chart.append(made);
  return made;
}

async function watch() {
  let misses = 0;
  for (;;) {
    await new Promise((done) => setTimeout(done, document.hidden ? 3000 : 800));
    try {
      const run = await api(page.dataset.url ?? "");
      misses = 0;
      show(run);
      if (ENDED.includes(run.state)) return;
    } catch (error) {
      misses += 1;
      if (misses === 5) tell(error);
    }
  }
}

part("run-stop").addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.currentTarget);
  void busy(button, async () => show(await api(`${page.dataset.url}/stop`, { method: "POST" })));
});

/** @type {Run} */
const now = JSON.parse(part("run-now").textContent ?? "{}");
show(now);
if (!ENDED.includes(now.state)) void watch();
