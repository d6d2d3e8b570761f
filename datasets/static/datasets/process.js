/** Forms that ask for an analysis: `data-process` is where, `data-kind` what, `data-follow` where its page is. */

import { ApiError, call } from "../data_handler/api.js";
import { clear, show } from "./problems.js";
import { utc } from "./times.js";

/** @returns {Promise<any>} the task, ended already where the answer was known. Throws ApiError */
export function process(address, kind, parameters, more = {}) {
  return call("POST", address, JSON.stringify({ kind, parameters, ...more }));
}

/** The address of something, from that of another. */
export const addressOf = (pattern, id) => pattern.replace(/[^/]+\/$/, `${id}/`);

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-follow]")) return;
  event.preventDefault();
  const button = event.submitter ?? form.querySelector("[type=submit]");
  clear(form);
  button.disabled = true;
  try {
    const more = "freshResult" in form.dataset ? { fresh: true } : {};
    const task = await process(form.dataset.process, form.dataset.kind, given(form), more);
    location.assign(addressOf(form.dataset.follow, task.id));
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof SyntaxError)) throw error;
    show(form, error instanceof SyntaxError ? { message: `This is no JSON: ${error.message}` } : error);
  }
  button.disabled = false;
});

/** What is left empty is left out. */
function given(form) {
  if (form.elements.parameters) return JSON.parse(form.elements.parameters.value);
  const fields = [...form.querySelectorAll("[data-parameter]")];
  const entries = fields.map((field) => [field.dataset.parameter, valueOf(field, field.dataset.type)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function valueOf(field, type) {
  const boxes = [...field.querySelectorAll("[type=checkbox]")];
  if (type === "boolean") return boxes[0].checked;
  if (type === "array") {
    const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
    return chosen.length ? chosen : undefined;
  }
  if (type === "times") return timesOf(field);
  const { value } = field.querySelector("input, select, textarea");
  if (value.trim() === "") return undefined;
  if (type === "json") return JSON.parse(value);
  if (type === "time") return utc(value);
  return type === "number" || type === "integer" ? Number(value) : value;
}

function timesOf(field) {
  const given = [...field.querySelectorAll("[data-member]")].filter((input) => input.value);
  return given.length ? Object.fromEntries(given.map((input) => [input.dataset.member, utc(input.value)])) : undefined;
}
