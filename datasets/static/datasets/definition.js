/** The definition of a dataset, from its form. */

import { utc } from "./times.js";

export const words = (text) => text.split(",").map((word) => word.trim()).filter(Boolean);

/** What the form does not have stays as it was. */
export function definitionOf(form, original) {
  const made = { ...original, ...MAKES[form.dataset.kind](form, original) };
  return Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined));
}

const MAKES = { events, records, upload };

function events(form) {
  const streams = [...form.querySelectorAll("[name=streams]:checked")].map((box) => box.value);
  const types = words(form.elements.types.value);
  return { streams: streams.length ? streams : undefined, types: types.length ? types : undefined, conditions: conditions(form), window: windowOf(form) };
}

function records(form) {
  return { source: form.elements.source.value || undefined, conditions: conditions(form) };
}

function upload(form, original) {
  const written = (name) => form.elements[name].value.trim() || undefined;
  const decode = { ...original.decode, format: written("format"), path: written("path"), sheet: written("sheet") };
  return { upload: form.elements.upload.value, decode: Object.fromEntries(Object.entries(decode).filter(([, value]) => value !== undefined)) };
}

function conditions(form) {
  const lines = [...form.querySelectorAll(".condition")].map((line) => [...line.querySelectorAll("input")].map((input) => input.value));
  return Object.fromEntries(lines.filter(([name]) => name.trim()).map(([name, value]) => [name.trim(), value]));
}

function windowOf(form) {
  const { window: kind, last, starts_at: from, ends_at: to } = form.elements;
  if (kind.value === "last") return { last: last.value.trim() };
  if (kind.value !== "fixed") return {};
  return Object.fromEntries([from, to].filter((field) => field.value).map((field) => [field.name, utc(field.value)]));
}
