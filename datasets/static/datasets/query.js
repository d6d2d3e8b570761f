/** The query box: asks, waits, shows the answer as the page of the analysis has it. */

import { ApiError, call } from "../data_handler/api.js";
import { refresh } from "../sources/refresh.js";
import { addressOf, process } from "./process.js";

const FIRST_WAIT_MS = 150;
const MOST_WAIT_MS = 1000;
const OPEN = ["pending", "running"];

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class QueryBox {
  #task = null;

  constructor(section) {
    this.section = section;
    this.form = section.querySelector("[data-query-form]");
    this.area = this.form.elements.sql;
    this.state = section.querySelector("[data-query-state]");
    this.cancel = section.querySelector("[data-query-cancel]");
    this.problem = section.querySelector("[role=alert]");
    this.result = section.querySelector("[data-query-result]");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.run(event.submitter ?? this.form.querySelector("[type=submit]"));
    });
    this.area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.form.requestSubmit();
    });
    this.cancel.addEventListener("click", () => this.#cancel());
    section.querySelector("[data-column-names]").addEventListener("click", (event) => this.#insert(event.target.dataset.insert));
  }

  async run(button) {
    button.disabled = true;
    this.#complain("");
    this.result.replaceChildren();
    this.state.textContent = "Asking…";
    try {
      this.#task = await process(this.section.dataset.process, "query", { sql: this.area.value });
      await this.#follow();
      await this.#show();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.state.textContent = "";
      this.#complain(error.fields.parameters?.[0]?.message ?? error.message);
    }
    this.cancel.hidden = true;
    button.disabled = false;
    refresh();
  }

  async #follow() {
    for (let wait = FIRST_WAIT_MS; OPEN.includes(this.#task.status); wait = Math.min(wait * 1.5, MOST_WAIT_MS)) {
      this.cancel.hidden = false;
      await pause(wait);
      this.#task = await call("GET", this.#address);
      this.state.textContent = this.#task.step ? `${Math.round(this.#task.progress * 100)} %, ${this.#task.step}` : "Waiting for a worker…";
    }
  }

  async #show() {
    this.state.textContent = this.#task.status === "cancelled" ? "cancelled" : "";
    if (this.#task.status === "failed") return this.#complain(this.#task.detail || this.#task.error);
    if (this.#task.status !== "success") return;
    const answer = await fetch(addressOf(this.section.dataset.page, this.#task.id), { credentials: "same-origin", headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const shown = page.querySelector("[data-result]");
    this.result.replaceChildren(this.#links(), ...(shown ? [document.importNode(shown, true)] : []));
    this.result.focus();
  }

  #links() {
    const row = document.createElement("p");
    row.className = "row small";
    for (const format of ["csv", "json"]) {
      const link = document.createElement("a");
      link.href = `${this.#address}result/?format=${format}`;
      link.download = "";
      link.textContent = format.toUpperCase();
      row.append(link);
    }
    return row;
  }

  get #address() {
    return addressOf(this.section.dataset.task, this.#task.id);
  }

  async #cancel() {
    this.cancel.disabled = true;
    await call("POST", `${this.#address}cancel/`).catch((error) => this.#complain(error.message));
    this.cancel.disabled = false;
  }

  #complain(message) {
    this.problem.textContent = message;
    this.problem.hidden = message === "";
    this.area.toggleAttribute("aria-invalid", message !== "");
    const place = position(this.area.value, message);
    if (place === null) return;
    this.area.focus();
    this.area.setSelectionRange(place, place + 1);
  }

  #insert(name) {
    if (!name) return;
    this.area.setRangeText(`"${name.replaceAll('"', '""')}"`, this.area.selectionStart, this.area.selectionEnd, "end");
    this.area.focus();
  }
}

/**
 * The place in the SQL that a message points to, by DuckDB's `LINE 2: … ^`, by `(Line 2, column 8.)`, or by the name of a
 * column or table that is not there; or null.
 */
export function position(sql, message) {
  const lines = sql.split("\n");
  const [number, column] = pointed(message, lines);
  if (number === 0 || lines[number - 1] === undefined) return named(sql, message);
  const start = lines.slice(0, number - 1).reduce((sum, line) => sum + line.length + 1, 0);
  return start + Math.max(0, Math.min(column, lines[number - 1].length - 1));
}

function named(sql, message) {
  const name = message.match(/(?:column|table) "([^"]+)" not found/)?.[1];
  const place = name === undefined ? -1 : sql.indexOf(name);
  return place < 0 ? null : place;
}

/** Line, from 1, or 0 for none; and column, from 0. */
function pointed(message, lines) {
  const said = message.match(/\(Line (\d+), column (\d+)\.\)/);
  if (said) return [Number(said[1]), Number(said[2]) - 1];
  const drawn = message.match(/^LINE (\d+): (\.\.\.)?(.*)\n( *)\^/m);
  if (!drawn) return [0, 0];
  const [, number, dots = "", text, before] = drawn;
  const line = lines[Number(number) - 1] ?? "";
  const shownFrom = dots ? line.indexOf(text.replace(/\.\.\.$/, "")) : 0;
  return [Number(number), before.length - `LINE ${number}: ${dots}`.length + Math.max(shownFrom, 0)];
}
