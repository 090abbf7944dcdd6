// @ts-check
/** The planning runs of many counties: one table that is asked for anew while any of them goes on. */
import { api, busy, fields, tell } from "../app.js";

/**
 * @typedef {{run: number, state: string, elapsed: number, seconds_limit: number, deterministic: boolean, by: string, attempt: number,
 *            worker: string | null, served_weighted: number | null, bound: number | null, gap: number | null, plan: number | null,
 *            problem: string | null}} Run
 * @typedef {{county: string, name: string, imported: boolean, published: number | null, run: Run | null}} County
 */

const page = document.getElementById("counties");
/** @type {Record<string, string>} */
const words = JSON.parse(document.getElementById("counties-words")?.textContent ?? "{}");
const figure = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
const share = new Intl.NumberFormat(document.documentElement.lang, { style: "percent", maximumFractionDigits: 2 });
const TONES = { done: "jade", failed: "vermilion", stopping: "ochre", queued: "slate", running: "live" };

/** @type {County[]} */
let counties = [];

/** @param {County} county */
const going = (county) => county.run !== null && !["done", "failed"].includes(county.run.state);
/** @param {County} county */
const failed = (county) => county.run?.state === "failed";

/** @param {County[]} found */
function show(found) {
  counties = found;
  for (const county of counties) if (county.run) row(county, county.run);
  const runs = counties.flatMap((county) => (county.run ? [county.run] : []));
  const known = runs.filter((run) => run.bound !== null && run.served_weighted !== null);
  const [bound, served] = [known.reduce((sum, run) => sum + (run.bound ?? 0), 0), known.reduce((sum, run) => sum + (run.served_weighted ?? 0), 0)];
  const figures = [
    `${runs.filter((run) => run.state === "done").length} / ${counties.length}`,
    String(counties.filter(going).length),
    String(counties.filter(failed).length),
    known.length ? share.format(bound ? (bound - served) / bound : 0) : "–",
  ];
  page?.querySelectorAll(".stat-value").forEach((place, i) => {
    if (place.textContent !== figures[i]) place.textContent = figures[i];
  });
  buttons();
}

/** @param {County} county @param {Run} run */
function row(county, run) {
  const line = page?.querySelector(`tr[data-county="${CSS.escape(county.county)}"]`);
  /** @param {string} name @param {...(Node | string)} content */
  const fill = (name, ...content) => line?.querySelector(`[data-cell="${name}"]`)?.replaceChildren(...content);
  /** @param {number | null} value */
  const shown = (value) => (value === null ? "–" : figure.format(value));
  fill("state", ...state(county, run));
  fill("served", shown(run.served_weighted));
  fill("bound", shown(run.bound));
  fill("gap", run.gap === null ? "–" : share.format(run.gap));
  fill("seconds", run.state === "queued" ? "–" : words.seconds.replace("%n", String(Math.round(run.elapsed))));
  fill("by", run.by);
  fill("worker", run.worker ?? "");
}

/** @param {County} county @param {Run} run @returns {(Node | string)[]} */
function state(county, run) {
  const badge = document.createElement("a");
  badge.className = "badge";
  badge.dataset.tone = TONES[/** @type {keyof typeof TONES} */ (run.state)] ?? "";
  badge.href = `/planner/${encodeURIComponent(county.county)}/runs/${run.run}`;
  badge.textContent = words[`state_${run.state}`] ?? run.state;
  /** @type {(Node | string)[]} */
  const found = [badge];
  if (going(county) && run.attempt > 1) found.push(" ", small("span", words.attempt.replace("%n", String(run.attempt))));
  if (going(county) && run.state !== "queued") {
    const bar = document.createElement("progress");
    bar.className = "mini-progress";
    bar.setAttribute("aria-label", county.name);
    if (!run.deterministic) {
      bar.max = run.seconds_limit;
      bar.value = Math.min(run.elapsed, run.seconds_limit);
    }
    found.push(document.createElement("br"), bar);
  }
  if (run.plan !== null) {
    const plan = /** @type {HTMLAnchorElement} */ (small("a", words.version.replace("%n", String(run.plan))));
    plan.href = `/planner/${encodeURIComponent(county.county)}/plans/${run.plan}`;
    found.push(" ", plan);
  }
  if (run.problem !== null) found.push(document.createElement("br"), small("span", run.problem));
  return found;
}

/** @param {string} name @param {string} text @returns {HTMLElement} */
function small(name, text) {
  const made = document.createElement(name);
  made.className = name === "a" ? "small" : "small muted";
  made.textContent = text;
  return made;
}

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("counties-form"));
const boxes = () => /** @type {HTMLInputElement[]} */ ([...(form?.querySelectorAll('input[name="county"]') ?? [])]);
const chosen = () => new Set(boxes().filter((box) => box.checked).map((box) => box.value));

function buttons() {
  const start = /** @type {HTMLButtonElement | null} */ (document.getElementById("start"));
  if (!start) return;
  const picked = counties.filter((county) => chosen().has(county.county));
  const ready = picked.filter((county) => !going(county));
  start.disabled = !ready.length;
  const text = document.getElementById("start-text");
  if (text) text.textContent = words.chosen.replace("%n", String(ready.length));
  /** @param {string} id @param {boolean} there */
  const offer = (id, there) => {
    const button = document.getElementById(id);
    if (button) button.hidden = !there;
  };
  offer("stop", picked.some((county) => going(county) && county.run?.state !== "stopping"));
  offer("retry", counties.some(failed));
}

/** @param {string[]} which */
async function begin(which) {
  const wish = form ? fields(form) : {};
  await api("/api/planner/runs", { body: { counties: which, seconds: wish.seconds, seed: wish.seed, deterministic: wish.deterministic } });
  show((await api("/api/planner")).counties);
}

/** @param {string} id @param {() => Promise<void>} act */
function onClick(id, act) {
  document.getElementById(id)?.addEventListener("click", (event) => {
    if (form?.reportValidity()) void busy(/** @type {HTMLElement} */ (event.currentTarget), act, form);
  });
}

onClick("start", () => begin(counties.filter((county) => chosen().has(county.county) && !going(county)).map((county) => county.county)));
onClick("retry", () => begin(counties.filter(failed).map((county) => county.county)));
onClick("stop", async () => {
  const which = counties.filter((county) => chosen().has(county.county) && going(county)).map((county) => county.county);
  show((await api("/api/planner/runs/stop", { body: { counties: which } })).counties);
});

form?.addEventListener("submit", (event) => event.preventDefault());
form?.addEventListener("change", (event) => {
  const all = /** @type {HTMLInputElement | null} */ (document.getElementById("all"));
  if (event.target === all && all) for (const box of boxes()) box.checked = all.checked && !box.disabled;
  else if (all) all.checked = boxes().every((box) => box.checked || box.disabled);
  buttons();
});

async function watch() {
  let misses = 0;
  for (;;) {
    const idle = document.hidden || !counties.some(going);
    await new Promise((done) => setTimeout(done, idle ? 5000 : 1000));
    try {
      show((await api("/api/planner")).counties);
      misses = 0;
    } catch (error) {
      misses += 1;
      if (misses === 5) tell(error);
    }
  }
}

if (page) {
  show(JSON.parse(document.getElementById("counties-now")?.textContent ?? '{"counties":[]}').counties);
  void watch();
}
