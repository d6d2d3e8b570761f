/** The numbers of the service at the head of the page. */

import { age, bytes, count, rate } from "./format.js";

/** Show a `stats` frame. What is null in it is unknown for the moment. */
export function showFigures(stats) {
  const { received, stored, buffered, dead, duplicates, lag_ms: lag } = stats;
  show("rate", rate(received.per_second));
  show("received", count(received.total));
  show("stored", count(stored));
  show("buffered", count(buffered?.events), buffered ? waiting(buffered) : "");
  show("dead", count(dead));
  show("duplicates", count(duplicates));
  show("lag", `${count(lag?.p50)} / ${count(lag?.p99)}`);
  document.querySelector('[data-figure="dead"]').classList.toggle("alarming", dead > 0);
}

function waiting({ bytes: size, oldest_age_seconds: oldest }) {
  return oldest === null ? bytes(size) : `${bytes(size)}, ${age(oldest)} old`;
}

function show(name, value, note) {
  const figure = document.querySelector(`[data-figure="${name}"]`);
  write(figure.querySelector(".value"), value);
  if (note !== undefined) write(figure.querySelector(".note"), note);
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
