/** The filter bar; its state lives in the address of the page. */

const FIELDS = ["stream", "type", "filter", "highlight"];

/** The fields of an address as texts; empty where there is nothing. */
export function read(search) {
  const parameters = new URLSearchParams(search);
  return Object.fromEntries(FIELDS.map((name) => [name, parameters.get(name) ?? ""]));
}

/** The address with these fields; whatever else it has stays. */
export function write(search, values) {
  const parameters = new URLSearchParams(search);
  for (const [name, value] of Object.entries(values)) {
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  }
  return parameters.size ? `?${parameters}` : location.pathname;
}

export const sameSelection = (a, b) => a.stream === b.stream && a.type === b.type && a.filter === b.filter;

export class Filters {
  /** `onSelect(values)` when other events are asked for, `onHighlight(text)` when other text is to be marked. */
  constructor(form, { onSelect, onHighlight }) {
    Object.assign(this, { form, onSelect, onHighlight, values: read(location.search) });
    form.addEventListener("submit", (event) => this.#submitted(event));
    form.addEventListener("change", () => this.#apply());
    form.addEventListener("input", (event) => this.#typed(event.target));
    form.addEventListener("reset", () => this.set({ stream: "", type: "", filter: "", highlight: "" }));
    addEventListener("popstate", () => this.#adopt(read(location.search)));
    this.#fill();
  }

  /** Change some fields, as if the user had typed them. */
  set(values) {
    const next = { ...this.values, ...values };
    if (FIELDS.every((name) => next[name] === this.values[name])) return this.#fill();
    history.pushState(null, "", write(location.search, next));
    this.#adopt(next);
  }

  get any() {
    return FIELDS.some((name) => this.values[name]);
  }

  /** Offer names to choose from. */
  suggest(name, options) {
    const list = document.getElementById(`${name}-options`);
    const texts = [...list.options].map((option) => option.value);
    if (texts.length === options.length && options.every((option) => texts.includes(option))) return;
    list.replaceChildren(...options.map((option) => new Option(option, option)));
  }

  /** Say at the field what is wrong with it; nothing is wrong any more when it changes. */
  refuse(name, message) {
    this.form.elements[name].setAttribute("aria-invalid", "true");
    const note = document.getElementById("filter-error");
    note.textContent = message;
    note.hidden = false;
  }

  focus() {
    this.form.elements.filter.focus();
    this.form.elements.filter.select();
  }

  #submitted(event) {
    event.preventDefault();
    this.#apply();
  }

  #typed(input) {
    if (input.name === "highlight") this.#highlight(input.value);
    else if (input.value === "" && this.values[input.name]) this.#apply();
  }

  #highlight(text) {
    this.values = { ...this.values, highlight: text };
    history.replaceState(null, "", write(location.search, this.values));
    this.onHighlight(text);
  }

  #apply() {
    const data = new FormData(this.form);
    this.set(Object.fromEntries(FIELDS.map((name) => [name, data.get(name).trim()])));
  }

  #adopt(next) {
    const before = this.values;
    this.values = next;
    this.#fill();
    if (!sameSelection(before, next)) this.onSelect(next);
    if (before.highlight !== next.highlight) this.onHighlight(next.highlight);
  }

  #fill() {
    document.getElementById("filter-error").hidden = true;
    for (const name of FIELDS) {
      const input = this.form.elements[name];
      input.removeAttribute("aria-invalid");
      if (input.value.trim() !== this.values[name]) input.value = this.values[name];
    }
    this.form.classList.toggle("filtering", this.any);
  }
}
