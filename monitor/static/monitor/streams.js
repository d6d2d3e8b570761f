/** Saving a stream's settings. */

import { ApiError, call } from "../data_handler/api.js";

function settingsOf(form) {
  const fields = Object.fromEntries(new FormData(form));
  const { key_path, type_path, time_path, schema_mode } = fields;
  return {
    key_path,
    type_path,
    time_path,
    schema_mode,
    retention_days: fields.retention_days === "" ? null : Number(fields.retention_days),
    schema: fields.schema.trim() === "" ? null : parseSchema(fields.schema),
  };
}

function parseSchema(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`The schema is no JSON: ${error.message}`);
  }
}

function mark(form, names) {
  for (const field of form.querySelectorAll("[name]")) {
    if (names.includes(field.name)) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
  form.querySelector("[aria-invalid]")?.focus();
}

async function save(form) {
  const outcome = form.querySelector("[data-outcome]");
  outcome.textContent = "Saving…";
  mark(form, []);
  try {
    await call("PATCH", form.getAttribute("action"), JSON.stringify(settingsOf(form)));
    outcome.textContent = "Saved. Every process follows within seconds.";
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof SyntaxError)) throw error;
    outcome.textContent = error.message;
    mark(form, error instanceof ApiError ? Object.keys(error.fields) : ["schema"]);
  }
}

const form = document.querySelector("[data-stream-settings]");
form.addEventListener("submit", (event) => {
  event.preventDefault();
  save(form);
});
form.querySelector("[type=submit]").disabled = false;
