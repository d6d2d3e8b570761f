/** The rows of the tail: the newest events, and between them what is not shown. */

import { members } from "./json.js";

export const CAPACITY = 2000;
const MOST_CHARACTERS = 32 * 1024 * 1024;
const LINE_CHARACTERS = 400;

let made = 0;

/** An event as the JSON text that came; read only when somebody looks at it. */
export class EventRow {
  kind = "event";
  number = (made += 1);
  #cells = null;

  constructor(text) {
    this.text = text;
  }

  get size() {
    return this.text.length;
  }

  /** Its members as they are shown; `payload` cut to a line, `at` the Date of receipt. */
  get cells() {
    return (this.#cells ??= this.#read());
  }

  /** Its members as JSON text, by name. */
  get members() {
    return members(this.text);
  }

  get id() {
    return JSON.parse(this.members.get("id"));
  }

  #read() {
    const { payload, ...rest } = Object.fromEntries(this.members);
    const cells = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, JSON.parse(value)]));
    return { ...cells, at: new Date(cells.received_at), payload: (payload ?? "").slice(0, LINE_CHARACTERS) };
  }
}

/** Events that came and are not in the tail: only counted, or not compared with the filter. */
export class OmittedRow {
  kind = "omitted";
  number = (made += 1);
  size = 0;

  constructor(omitted, unchecked) {
    Object.assign(this, { omitted, unchecked });
  }
}

/** Events of which the feed has lost sight. `missing` is null when nobody knows how many. */
export class GapRow {
  kind = "gap";
  number = (made += 1);
  size = 0;
  loading = false;
  outcome = "";

  constructor(frame) {
    this.reason = frame.reason;
    this.missing = frame.to >= frame.from ? frame.to - frame.from + 1 : null;
  }
}

/** The rows of a frame, oldest first. What is omitted is older than what is shown. */
export function rowsOfFrame(frame) {
  const rows = frame.events.slice(-CAPACITY).map((text) => new EventRow(text));
  return frame.omitted || frame.unchecked ? [new OmittedRow(frame.omitted, frame.unchecked), ...rows] : rows;
}

/** The newest CAPACITY rows. While it is held, they stay as they are, and the newer ones wait. */
export class Rows {
  held = false;
  /** Events that came while it was held. */
  fresh = 0;
  #shown = [];
  #waiting = [];

  get length() {
    return this.#shown.length;
  }

  /** The row at a place; 0 is the newest. */
  at(place) {
    return this.#shown[this.#shown.length - 1 - place];
  }

  add(rows, events) {
    const to = this.held ? this.#waiting : this.#shown;
    for (const row of rows) append(to, row);
    trim(to);
    if (this.held) this.fresh += events;
  }

  hold() {
    this.held = true;
  }

  release() {
    for (const row of this.#waiting) append(this.#shown, row);
    trim(this.#shown);
    this.clearWaiting();
    this.held = false;
  }

  clear() {
    this.#shown = [];
    this.clearWaiting();
  }

  clearWaiting() {
    this.#waiting = [];
    this.fresh = 0;
  }

  place(row) {
    const index = this.#shown.lastIndexOf(row);
    return index < 0 ? -1 : this.#shown.length - 1 - index;
  }

  /** All shown, oldest first. */
  events() {
    return this.#shown.filter((row) => row.kind === "event");
  }

  /** The events right before and after a row in time; undefined where there is none. */
  neighbours(row) {
    const index = this.#shown.indexOf(row);
    const isEvent = (other) => other.kind === "event";
    const after = this.#shown.slice(index + 1).find(isEvent) ?? this.#waiting.find(isEvent);
    return { before: this.#shown.slice(0, index).findLast(isEvent), after };
  }

  /** Put rows, oldest first, right before another in time. */
  insertBefore(row, rows) {
    const index = this.#shown.indexOf(row);
    if (index < 0) return;
    this.#shown.splice(index, 0, ...rows);
    trim(this.#shown);
  }

  /** The texts of all ids that are here, waiting ones included. */
  ids() {
    return new Set([...this.#shown, ...this.#waiting].filter((row) => row.kind === "event").map((row) => row.id));
  }
}

function append(rows, row) {
  const last = rows.at(-1);
  if (row.kind === "omitted" && last?.kind === "omitted") {
    rows[rows.length - 1] = new OmittedRow(last.omitted + row.omitted, last.unchecked + row.unchecked);
  } else {
    rows.push(row);
  }
}

function trim(rows) {
  let characters = 0;
  let first = rows.length;
  while (first > 0 && rows.length - first < CAPACITY && characters <= MOST_CHARACTERS) {
    first -= 1;
    characters += rows[first].size;
  }
  if (first > 0) rows.splice(0, first);
}
