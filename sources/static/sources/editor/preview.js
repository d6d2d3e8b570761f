/** What a test found out, and the rows after each step, in tabs. */

import { write } from "./document.js";

const LONG_CHARACTERS = 60; // the end of which may not be seen in a cell
const STEPS = ["decoded", "normalized", "mapped", "filtered", "rejected"];
const SAID = {
  decoded: "Rows as they came.",
  normalized: "After lists were made rows and members of members members.",
  mapped: "After the fields were chosen and converted.",
  filtered: "What would be loaded, if it has a key.",
  rejected: "Left out, and why.",
};

export function showTest(section, report) {
  const good = !report.error && report.reachable;
  const list = element("dl", { className: "facts" });
  for (const [name, value] of Object.entries(report)) {
    if (value === "" || value === null || name === "detail" || name === "error") continue;
    const shown = typeof value === "boolean" ? (value ? "yes" : "no") : Array.isArray(value) ? value.join(", ") : String(value);
    const pair = element("div");
    pair.append(element("dt", { textContent: name.replaceAll("_", " ") }), element("dd", { textContent: shown }));
    list.append(pair);
  }
  const verdict = element("p", { className: `notice ${good ? "" : "danger"}` });
  verdict.textContent = good ? "It answers and lets us in." : `${report.error}: ${report.detail}`;
  reveal(section, [element("h2", { textContent: "Test" }), verdict, list]);
}

/** `suggested`: a toolbar. */
export function showPreview(section, report, suggested) {
  const parts = [element("h2", { textContent: "Preview: the first 20 rows after each step" })];
  if (report.error) parts.push(element("p", { className: "notice danger", textContent: `${report.error}: ${report.detail}` }));
  for (const { pointer, message } of report.warnings ?? []) parts.push(element("p", { className: "notice warning", textContent: `${pointer}: ${message}` }));
  if (suggested.childElementCount) parts.push(suggested);
  const tabs = element("div", { role: "tablist", className: "tabs", ariaLabel: "Steps" });
  const panels = STEPS.map((step) => panel(step, report[step] ?? []));
  STEPS.forEach((step) => tabs.append(tab(step, (report[step] ?? []).length)));
  tabs.addEventListener("click", ({ target }) => target.role === "tab" && choose(tabs, panels, target));
  tabs.addEventListener("keydown", (event) => walk(tabs, panels, event));
  reveal(section, [...parts, tabs, ...panels]);
  const unfit = (report.rejected ?? []).filter(({ step }) => step === "load").length;
  const order = unfit && unfit === report.filtered?.length ? ["rejected"] : ["filtered", "mapped", "rejected", "decoded"];
  const first = order.find((step) => report[step]?.length) ?? "decoded";
  choose(tabs, panels, tabs.children[STEPS.indexOf(first)]);
}

function tab(step, number) {
  const button = element("button", { type: "button", role: "tab", id: `tab-${step}`, textContent: `${step} ${number}` });
  button.setAttribute("aria-controls", `panel-${step}`);
  return button;
}

function panel(step, rows) {
  const made = element("div", { role: "tabpanel", id: `panel-${step}`, className: "scroll", tabIndex: 0 });
  made.setAttribute("aria-labelledby", `tab-${step}`);
  made.append(element("p", { className: "small muted", textContent: SAID[step] }));
  made.append(rows.length ? table(rows) : element("p", { textContent: "None." }));
  return made;
}

function choose(tabs, panels, chosen) {
  [...tabs.children].forEach((one, place) => {
    one.ariaSelected = String(one === chosen);
    one.tabIndex = one === chosen ? 0 : -1;
    panels[place].hidden = one !== chosen;
  });
}

function walk(tabs, panels, event) {
  const all = [...tabs.children];
  const at = all.indexOf(document.activeElement);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = all[(to + all.length) % all.length];
  choose(tabs, panels, next);
  next.focus();
}

/** A column for every member that some row has. */
function table(rows) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const made = element("table", { className: "dense preview" });
  const head = made.createTHead().insertRow();
  for (const name of names) head.append(element("th", { scope: "col", textContent: name }));
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const name of names) line.append(cell(row[name]));
  }
  return made;
}

function cell(value) {
  const text = value === undefined ? "" : typeof value === "string" ? value : write(value);
  const made = element("td");
  made.append(element("div", { className: "few-lines", textContent: text, title: text.length > LONG_CHARACTERS ? text : "" }));
  if (value === null || value === undefined) made.className = "muted";
  return made;
}

function reveal(section, parts) {
  section.replaceChildren(...parts);
  section.hidden = false;
  section.focus({ preventScroll: true });
  section.scrollIntoView({ block: "nearest" });
}

const element = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);
