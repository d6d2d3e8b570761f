/** Adding and deleting indexes of a stream, and showing how far they are. */

import { ApiError, call } from "../data_handler/api.js";
import { bytes } from "./live/format.js";

const POLL_MS = 2000;

const section = document.querySelector("[data-indexes]");
const address = section.dataset.indexes;
const problem = section.querySelector("[data-problem]");

async function change(method, path, body) {
  problem.hidden = true;
  try {
    await call(method, path, body);
    location.reload();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    problem.textContent = error.message;
    problem.hidden = false;
  }
}

function show(row, index) {
  row.dataset.state = index.state;
  const more = index.state === "building" ? `, ${index.built} of ${index.partitions} days` : "";
  row.querySelector("[data-shown=state]").textContent = `${index.state}${more}${index.error && `: ${index.error}`}`;
  row.querySelector("[data-shown=size]").textContent = bytes(index.bytes);
}

async function follow() {
  if (!section.querySelector("[data-state=building]")) return;
  try {
    for (const index of await call("GET", address)) {
      const row = section.querySelector(`[data-index="${index.id}"]`);
      if (row) show(row, index);
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
  setTimeout(follow, POLL_MS);
}

section.querySelector("form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const { path, kind } = Object.fromEntries(new FormData(event.target));
  change("POST", address, JSON.stringify({ path, kind }));
});
for (const button of section.querySelectorAll("form [type=submit]")) button.disabled = false;
for (const button of section.querySelectorAll("[data-delete]")) {
  button.addEventListener("click", () => change("DELETE", `${address}${button.dataset.delete}/`));
}
setTimeout(follow, POLL_MS);
