/** The editor of a source. The text of the JSON is what counts; the form reads it and writes into it. */

import { ApiError, call } from "../../data_handler/api.js";
import { ordered, parse, write } from "./document.js";
import { Form } from "./form.js";
import { Problems, say } from "./problems.js";
import { showPreview, showTest } from "./preview.js";
import { suggestionsOf, toolbar } from "./suggestions.js";
import { upload } from "./upload.js";

const VALIDATE_AFTER_MS = 400;
const SHOWS = { test: showTest, preview: showPreview };

const editor = document.querySelector("[data-editor]");
const area = document.getElementById("document");
const outcome = editor.querySelector("[data-outcome]");
const problems = new Problems(editor, area);
const known = JSON.parse(document.getElementById("secret-names").textContent);
const form = new Form(editor, known, change);
let root;
let isDirty = false;
let timer = 0;
let validations = 0;

// The JSON and the form

function readText() {
  try {
    root = parse(area.value);
  } catch (error) {
    root = undefined;
    problems.showSyntax(error);
  }
  form.show(root);
  if (root !== undefined) planValidation();
}

function change(writeInto) {
  if (root === undefined) return;
  writeInto(root);
  root = ordered(root);
  area.value = write(root, 2);
  form.show(root);
  planValidation();
}

function planValidation() {
  clearTimeout(timer);
  timer = setTimeout(validate, VALIDATE_AFTER_MS);
}

async function validate() {
  const mine = (validations += 1);
  try {
    const answer = await call("POST", editor.dataset.validate, `{"definition": ${area.value}}`);
    if (mine === validations && root !== undefined) problems.show(answer.problems);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    outcome.textContent = error.message;
  }
}

// What goes to the server

/** The definition goes as its text: no digit is lost on the way. */
function body(fields) {
  const rest = JSON.stringify({ ...fields, secrets: form.secrets(root) });
  return `${rest.slice(0, -1)}, "definition": ${area.value}}`;
}

async function attempt(button, saying, action) {
  if (root === undefined) {
    outcome.textContent = "The JSON cannot be read: mend it first.";
    return area.focus();
  }
  button.disabled = true;
  outcome.textContent = saying;
  try {
    await action();
    outcome.textContent = "";
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    refused(error);
  }
  button.disabled = false;
}

function refused(error) {
  const { definition, name } = error.fields;
  const named = document.getElementById("name");
  say(named, document.getElementById("name-problem"), [name ?? []].flat().join(" "));
  if (Array.isArray(definition) && definition.every((problem) => problem?.message)) {
    problems.show(definition);
    outcome.textContent = "The definition has problems: see below the JSON.";
  } else outcome.textContent = name ? "The name will not do." : error.message;
  editor.querySelector("[aria-invalid]")?.focus();
}

async function save() {
  const fields = { name: editor.elements.name.value.trim(), active: editor.elements.active.checked };
  const saved = await call(editor.dataset.method, editor.dataset.save, body(fields));
  isDirty = false;
  location.assign(editor.dataset.page.replace("/0/", `/${saved.id}/`));
}

async function ask(what) {
  editor.querySelector(".suggestions")?.remove(); // of what was asked before
  const report = await call("POST", editor.dataset[what], body({}), parse);
  const section = editor.querySelector(`[data-${what}-report]`);
  SHOWS[what](section, report, toolbar(suggestionsOf(report.suggestions, root), take));
}

/** What was suggested is written, and looked at anew. */
function take(writes) {
  isDirty = true;
  change(writes);
  editor.querySelector("[data-ask=preview]").click();
}

async function send(file) {
  const state = editor.querySelector("[data-file-state]");
  const bar = editor.querySelector("[data-file-progress]");
  bar.hidden = false;
  state.textContent = `Sending ${file.name}…`;
  try {
    const kept = await upload(editor.dataset.uploads, file, (part) => (bar.value = part));
    state.textContent = `${kept.name} is there, ${kept.size.toLocaleString("en")} bytes.`;
    change((into) => (into.extract.upload = kept.id));
  } catch (error) {
    state.textContent = error.message;
  }
  bar.hidden = true;
}

// Events

area.addEventListener("input", readText);
editor.addEventListener("input", () => (isDirty = true));
editor.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!editor.elements.name.reportValidity()) return;
  attempt(event.submitter ?? editor.querySelector("[type=submit]"), "Saving…", save);
});
for (const button of editor.querySelectorAll("[data-ask]")) {
  button.addEventListener("click", () => attempt(button, "Asking the other side…", () => ask(button.dataset.ask)));
}
document.getElementById("file").addEventListener("change", ({ target }) => target.files[0] && send(target.files[0]));
addEventListener("beforeunload", (event) => isDirty && event.preventDefault());
editor.querySelector("[type=submit]").disabled = false;
readText();
if (editor.dataset.method === "POST") clearTimeout(timer); // nobody has been wrong yet
