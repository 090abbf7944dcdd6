// @ts-check
/** The upload of a county's files: a dry run, its report, and the act that takes all or nothing. */
import { api, busy, tell, toast } from "../app.js";

/**
 * @typedef {{zh_CN: string, en: string}} Both
 * @typedef {{level: string, file: string, row: number | null, line: number | null, column: string, place: Both, sentence: Both}} Finding
 * @typedef {{file: string, title: Both, added: number, changed: number, removed: number,
 *            samples: {kind: string, key: string, cells: string[][]}[]}} FileChange
 * @typedef {{ok: boolean, file_name: string, sha256: string, county: string, errors: number, warnings: number,
 *            findings: Finding[], first: boolean, files: FileChange[]}} Report
 */

const form = /** @type {HTMLFormElement} */ (document.getElementById("import"));
const drop = /** @type {HTMLElement} */ (document.getElementById("drop"));
const field = /** @type {HTMLInputElement} */ (document.getElementById("file"));
const reading = /** @type {HTMLElement} */ (document.getElementById("reading"));
const place = /** @type {HTMLElement} */ (document.getElementById("report"));
/** @type {Record<string, string>} */
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
const language = document.documentElement.lang === "en" ? "en" : "zh_CN";

/** @param {string} id */
const copyOf = (id) => /** @type {DocumentFragment} */ (/** @type {HTMLTemplateElement} */ (document.getElementById(id)).content.cloneNode(true));
/** @param {ParentNode} root @param {string} name @returns {HTMLElement} */
const part = (root, name) => /** @type {HTMLElement} */ (root.querySelector(`[data-part="${name}"]`));
/** @param {string} key @param {number} n */
const counted = (key, n) => words[key].replace("%n", String(n));

/** @param {File} file */
async function check(file) {
  if (file.size > Number(form.dataset.mostMb) * 1024 * 1024) return toast(words.too_large, { tone: "vermilion" });
  place.hidden = true;
  reading.hidden = false;
  const body = new FormData();
  body.append("file", file, file.name);
  try {
    show(await api(form.dataset.check ?? "", { body }), file);
  } catch (error) {
    tell(error);
  } finally {
    reading.hidden = true;
  }
  return undefined;
}

/** @param {Report} report @param {File} file */
function show(report, file) {
  const page = copyOf("report-template");
  const verdict = part(page, "verdict");
  const changed = report.files.length > 0;
  verdict.dataset.tone = report.ok ? (changed ? "jade" : "indigo") : "vermilion";
  part(page, "headline").textContent = report.ok
    ? words[report.first ? "ready_first" : changed ? "ready" : "same"]
    : counted("errors_head", report.errors);
  part(page, "subline").textContent =
    `${report.file_name} · ` + (report.ok ? counted("warnings_text", report.warnings) : words.errors_text);
  const accept = part(page, "accept");
  accept.hidden = !report.ok;
  accept.addEventListener("click", () => void busy(accept, () => take(report, file)));
  part(page, "again").addEventListener("click", () => field.click());
  const save = part(page, "save");
  save.hidden = report.findings.length === 0;
  save.addEventListener("click", () => keep(report));
  part(page, "changes").hidden = !changed;
  for (const each of report.files) part(page, "files").append(difference(each));
  for (const [name, some] of grouped(report.findings)) part(page, "findings").append(fileReport(name, some));
  place.replaceChildren(page);
  place.hidden = false;
  place.focus();
}

/** @param {Finding[]} findings @returns {Map<string, Finding[]>} */
function grouped(findings) {
  const found = new Map();
  for (const each of findings) found.set(each.file, [...(found.get(each.file) ?? []), each]);
  return found;
}

/** @param {string} name @param {Finding[]} some */
function fileReport(name, some) {
  const page = copyOf("file-template");
  part(page, "file").textContent = name || words.other;
  const errors = some.filter((each) => each.level === "error").length;
  const counts = { errors: counted("errors_n", errors), warnings: counted("warnings_n", some.length - errors) };
  part(page, "errors").textContent = counts.errors;
  part(page, "errors").hidden = errors === 0;
  part(page, "warnings").textContent = counts.warnings;
  part(page, "warnings").hidden = some.length === errors;
  for (const each of some) part(page, "rows").append(line(each));
  return page;
}

/** @param {Finding} finding */
function line(finding) {
  const row = document.createElement("tr");
  const badge = document.createElement("span");
  badge.className = "badge";
  badge.dataset.tone = finding.level === "error" ? "vermilion" : "ochre";
  badge.textContent = words[finding.level];
  const where = finding.row === null ? (finding.line === null ? words.whole_file : String(finding.line))
    : words.row_line.replace("%r", String(finding.row)).replace("%l", String(finding.line));
  for (const content of [badge, where, finding.column, finding.sentence[language]]) {
    const cell = document.createElement("td");
    cell.append(content);
    row.append(cell);
  }
  row.children[1].className = "nowrap";
  row.children[2].className = "code";
  return row;
}

/** @param {FileChange} change */
function difference(change) {
  const box = document.createElement("div");
  box.className = "diff-file";
  const head = document.createElement("p");
  const name = document.createElement("strong");
  name.textContent = `${change.title[language]} `;
  head.append(name);
  for (const [kind, tone] of [["added", "jade"], ["changed", "ochre"], ["removed", "vermilion"]]) {
    const count = Number(change[/** @type {"added"} */ (kind)]);
    if (!count) continue;
    const badge = document.createElement("span");
    badge.className = "badge";
    badge.dataset.tone = tone;
    badge.textContent = counted(kind, count);
    head.append(badge, " ");
  }
  const list = document.createElement("ul");
  list.className = "bare";
  for (const each of change.samples) list.append(sample(each));
  const total = change.added + change.changed + change.removed;
  if (total > change.samples.length) {
    const rest = document.createElement("li");
    rest.className = "faint";
    rest.textContent = counted("more", total - change.samples.length);
    list.append(rest);
  }
  box.append(head, list);
  return box;
}

/** @param {FileChange["samples"][number]} each */
function sample(each) {
  const item = document.createElement("li");
  item.className = { added: "added", removed: "removed" }[each.kind] ?? "";
  const sign = { added: "+", removed: "−" }[each.kind] ?? "~";
  const cells = each.cells.map(([name, before, after]) => `${name}: ${before || "∅"} → ${after || "∅"}`).join(" · ");
  item.textContent = `${sign} ${each.key}${cells ? ` · ${cells}` : ""}`;
  return item;
}

/** @param {Report} report @param {File} file */
async function take(report, file) {
  const body = new FormData();
  body.append("sha256", report.sha256);
  body.append("file", file, file.name);
  const done = await api(form.dataset.accept ?? "", { body });
  toast(counted("accepted", done.revision), { tone: "jade" });
  location.assign(form.dataset.home ?? "/");
}

/** Keeps the report as a table for whoever mends the files. @param {Report} report */
function keep(report) {
  /** @param {unknown} cell */
  const quoted = (cell) => `"${String(cell ?? "").replaceAll('"', '""')}"`;
  const rows = [[words.level, words.place, words.mend], ...report.findings.map((each) => [words[each.level], each.place[language], each.sentence[language]])];
  const text = "\ufeff" + rows.map((row) => row.map(quoted).join(",")).join("\r\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = `${words.report_name}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

field.addEventListener("change", () => {
  const file = field.files?.[0];
  if (file) void check(file);
  field.value = "";
});
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.toggleAttribute("data-over", true);
  });
}
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.removeAttribute("data-over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  const file = event.dataTransfer?.files[0];
  if (file) void check(file);
});
