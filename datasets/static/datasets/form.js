/** The form of a dataset. */

import { ApiError, call } from "../data_handler/api.js";
import { upload } from "../sources/editor/upload.js";
import { definitionOf, words } from "./definition.js";
import { clear, show } from "./problems.js";
import { process } from "./process.js";

const form = document.querySelector("[data-dataset-form]");
const outcome = form.querySelector("[data-outcome]");
const original = JSON.parse(document.getElementById("definition")?.textContent ?? "{}");
let isDirty = false;

async function save() {
  const { name, tags, description } = form.elements;
  const body = { name: name.value.trim(), description: description.value.trim(), tags: words(tags.value), definition: definitionOf(form, original) };
  if (form.dataset.method === "POST") body.kind = form.dataset.kind;
  const saved = await call(form.dataset.method, form.dataset.save, JSON.stringify(body));
  isDirty = false;
  if (form.elements.profile?.checked) await process(form.dataset.process.replace("/0/", `/${saved.id}/`), "profile", {}).catch(() => {}); // its page says so
  location.assign(form.dataset.page.replace("/0/", `/${saved.id}/`));
}

// The file

async function send(file, control) {
  const state = form.querySelector("[data-file-state]");
  const bar = form.querySelector("[data-file-progress]");
  const button = form.querySelector("[type=submit]");
  bar.hidden = false;
  button.disabled = true;
  state.textContent = `Sending ${file.name}…`;
  try {
    const kept = await upload(control.dataset.uploads, file, (part) => (bar.value = part));
    state.textContent = `${kept.name} is there, ${kept.size.toLocaleString("en")} bytes.`;
    form.elements.upload.value = kept.id;
    if (!form.elements.name.value) form.elements.name.value = kept.name.replace(/\.[^.]*$/, "");
  } catch (error) {
    state.textContent = error.message;
    control.value = "";
  }
  button.disabled = false;
  bar.hidden = true;
}

// Events

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  clear(form);
  if (!form.elements.name.reportValidity()) return;
  const button = event.submitter ?? form.querySelector("[type=submit]");
  button.disabled = true;
  outcome.textContent = "Saving…";
  try {
    await save();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    show(form, error);
  }
  outcome.textContent = "";
  button.disabled = false;
});
form.addEventListener("input", (event) => {
  isDirty = true;
  const { target } = event;
  if (["last", "starts_at", "ends_at"].includes(target.name)) form.elements.window.value = target.name === "last" ? "last" : "fixed";
  if ("filterChoices" in target.dataset) narrow(target);
});
form.addEventListener("click", ({ target }) => {
  if ("remove" in target.dataset) target.closest(".condition").remove();
  if ("add" in target.dataset) add();
});
document.getElementById("file")?.addEventListener("change", ({ target }) => target.files[0] && send(target.files[0], target));
form.querySelector("[type=submit]").disabled = false;
addEventListener("beforeunload", (event) => isDirty && event.preventDefault());

function narrow(search) {
  const part = search.value.toLowerCase();
  for (const label of search.parentElement.querySelectorAll(".choices label")) label.hidden = !label.textContent.toLowerCase().includes(part);
}

function add() {
  const list = form.querySelector("[data-conditions]");
  const condition = document.getElementById("condition").content.firstElementChild.cloneNode(true);
  list.append(condition);
  condition.querySelector("input").focus();
}
