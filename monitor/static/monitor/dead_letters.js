/** The page of dead letters: whole payloads when a letter is opened, and what can be done with letters. */

import { call } from "../data_handler/api.js";
import { describe, run } from "./dead_letters_batches.js";
import { confirmDiscard, edit } from "./dead_letters_dialogs.js";
import { indent } from "./dead_letters_json.js";

const confirmation = document.querySelector("#confirmation");
const editor = document.querySelector("#editor");

// One letter

async function wholePayload(letter) {
  const { payload } = await call("GET", letter.dataset.api);
  return payload;
}

async function showWhole(letter) {
  const shown = letter.querySelector("[data-payload]");
  shown.textContent = indent(letter.querySelector("[data-cut]") ? await wholePayload(letter) : shown.textContent);
  letter.querySelector("[data-cut]")?.remove();
}

function finish(letter, outcome) {
  letter.classList.add("done");
  letter.querySelector("[data-actions]").hidden = true;
  say(letter, outcome);
}

function say(letter, outcome) {
  const place = letter.querySelector("[data-outcome]");
  place.textContent = outcome;
  place.focus();
}

function settle(letter, { stored, duplicates, dead }) {
  if (stored) finish(letter, "Stored.");
  else if (duplicates) finish(letter, "Not stored again: an event with its key is stored already.");
  else say(letter, dead ? "Refused again. It stays here." : "Somebody else is replaying it just now.");
}

const actions = {
  async replay(letter) {
    settle(letter, await call("POST", `${letter.dataset.api}replay/`));
  },
  async edit(letter) {
    edit(editor, indent(await wholePayload(letter)), async (text) => {
      JSON.parse(text);
      settle(letter, await call("POST", `${letter.dataset.api}replay/`, `{"payload": ${text}}`));
    });
  },
  async discard(letter) {
    if (!(await confirmDiscard(confirmation, "Discard this letter?"))) return;
    await call("DELETE", letter.dataset.api);
    finish(letter, "Discarded.");
  },
};

for (const letter of document.querySelectorAll("[data-letter]")) {
  letter.addEventListener("toggle", () => showWhole(letter).catch((error) => say(letter, error.message)), { once: true });
  const offered = letter.querySelector("[data-actions]");
  if (!offered) continue;
  offered.hidden = false;
  offered.addEventListener("click", (event) => {
    const action = actions[event.target.dataset.action];
    if (action) action(letter).catch((error) => say(letter, error.message));
  });
}

// All letters of the filter

const batch = document.querySelector("[data-batch]");

function showProgress(sums) {
  const progress = batch.querySelector("progress");
  progress.value = Math.max(0, progress.max - sums.remaining);
}

async function runAll(action) {
  const outcome = document.querySelector("[data-batch-outcome]");
  const stop = new AbortController();
  const stopButton = batch.querySelector("[data-batch-stop]");
  stopButton.onclick = () => stop.abort();
  setRunning(true);
  try {
    const chosen = JSON.parse(document.querySelector("#batches").textContent);
    const sums = await run(action, chosen, call, stop.signal, (so_far) => {
      showProgress(so_far);
      outcome.textContent = describe(action, so_far);
    });
    outcome.textContent = `${stop.signal.aborted && sums.remaining ? "Stopped. " : ""}${describe(action, sums)} `;
  } catch (error) {
    outcome.textContent = `${error.message} `;
  }
  setRunning(false);
  offerReload(outcome);
}

function setRunning(running) {
  for (const button of batch.querySelectorAll("[data-batch-action]")) button.disabled = running;
  batch.querySelector("[data-batch-stop]").hidden = !running;
  batch.querySelector("progress").hidden = !running;
}

function offerReload(outcome) {
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = "Load the page again";
  outcome.append(link);
}

if (batch) {
  batch.hidden = false;
  batch.addEventListener("click", async (event) => {
    const action = event.target.dataset.batchAction;
    const question = `Discard ${Number(batch.dataset.count).toLocaleString("en")} letters?`;
    if (action && (action === "replay" || (await confirmDiscard(confirmation, question)))) runAll(action);
  });
}
