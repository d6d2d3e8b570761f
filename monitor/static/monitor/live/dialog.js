/** One event in full, in a dialog beside the tail. */

import { members, pretty } from "./json.js";
import { write } from "./filters.js";

const FACTS = ["id", "stream", "type", "key", "time", "received_at", "status", "reason", "detail", "duplicate_of"];

export class EventDialog {
  #text = "";
  #id = "";

  constructor(dialog) {
    this.dialog = dialog;
    this.facts = dialog.querySelector("dl");
    this.json = dialog.querySelector("pre");
    this.note = dialog.querySelector("[role=status]");
    this.apiLink = dialog.querySelector("[data-link=api]");
    dialog.addEventListener("close", () => this.#remember(""));
    dialog.addEventListener("click", (event) => this.#clicked(event));
  }

  /** Show an event of the tail. */
  open(row) {
    this.#show(row.id, row.members);
  }

  /** Show an event as the API knows it. */
  async openById(id) {
    this.#show(id, new Map());
    this.note.textContent = "Loading…";
    try {
      const answer = await fetch(`/api/events/${encodeURIComponent(id)}/`, { headers: { Accept: "application/json" } });
      const texts = members(await answer.text());
      if (!answer.ok) throw new Error(answer.status === 404 ? "There is no event with this id." : JSON.parse(texts.get("detail")));
      if (id === this.#id) this.#show(id, texts);
      if (!texts.has("payload")) this.note.textContent = "It is not stored yet; open it again in a moment.";
    } catch (error) {
      this.note.textContent = error.message;
    }
  }

  #show(id, texts) {
    this.#id = id;
    this.#text = texts.get("payload") ?? "";
    this.facts.replaceChildren(...FACTS.flatMap((name) => fact(name, texts.get(name))));
    this.json.textContent = pretty(this.#text);
    this.json.hidden = !this.#text;
    this.note.textContent = "";
    this.apiLink.href = `/api/events/${encodeURIComponent(id)}/`;
    this.#remember(id);
    if (!this.dialog.open) this.dialog.showModal();
  }

  #remember(event) {
    history.replaceState(history.state, "", write(location.search, { event }));
  }

  async #clicked(event) {
    const button = event.target.closest("[data-copy]");
    if (event.target === this.dialog || event.target.closest("[data-close]")) this.dialog.close();
    if (!button) return;
    const link = new URL(`/?event=${encodeURIComponent(this.#id)}`, location.href).href;
    try {
      await copy(button.dataset.copy === "link" ? link : pretty(this.#text), this.dialog);
      this.note.textContent = "Copied.";
    } catch {
      this.note.textContent = "The browser did not allow copying.";
    }
  }
}

/** The clipboard needs HTTPS or localhost; elsewhere a selection still copies. */
async function copy(text, parent) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  parent.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("Nothing was copied.");
}

function fact(name, json) {
  const value = json === undefined ? null : JSON.parse(json);
  if (value === null) return [];
  const [term, description] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = name.replaceAll("_", " ");
  description.textContent = value;
  return [term, description];
}
