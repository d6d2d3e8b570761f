/** The tail on the page: rows of one height, of which only the visible ones are in the document. */

import { count, plural, timeOfDay } from "./format.js";
import { marked } from "./highlight.js";

const COLUMNS = ["time", "stream", "type", "key", "payload"];
const MARGIN_ROWS = 3;
const REASONS = {
  lost: "lost",
  expired: "too long ago",
  new_epoch: "the server began to count again",
  slow_client: "too many for this browser",
};

export class Tail {
  selected = null;
  #elements = [];
  #top = 0;
  #height = 0;
  #rowHeight = 0;
  #asked = false;
  #needle = "";

  /**
   * `grid` scrolls; `space` lies in it and is as high as all rows. `onOpen(row)` and `onLoad(row)` for what the user does with
   * a row, `onAway()` and `onBack()` when the user leaves the newest rows and returns.
   */
  constructor(grid, space, rows, { onOpen, onLoad, onAway, onBack }) {
    Object.assign(this, { grid, space, rows, onOpen, onLoad, onAway, onBack });
    grid.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    grid.addEventListener("keydown", (event) => this.#pressed(event));
    space.addEventListener("click", (event) => this.#clicked(event));
    new ResizeObserver(() => this.#measured()).observe(grid);
    this.#measured();
  }

  /** Once per animation frame, however often it is asked for. */
  repaint() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#paint();
    });
  }

  highlight(needle) {
    this.#needle = needle.toLowerCase();
    for (const element of this.#elements) element.row = null;
    this.repaint();
  }

  /** The row looks different from now on. */
  changed(row) {
    for (const element of this.#elements) if (element.row === row) element.row = null;
    this.repaint();
  }

  toNewest() {
    this.grid.scrollTop = this.#top = 0;
    this.selected = null;
    this.repaint();
  }

  #measured() {
    this.#height = this.grid.clientHeight;
    this.#rowHeight = parseFloat(getComputedStyle(this.grid).getPropertyValue("--row-height"));
    this.repaint();
  }

  #scrolled() {
    const before = this.#top;
    this.#top = this.grid.scrollTop;
    if (this.#top > this.#rowHeight / 2) this.onAway();
    else if (this.#top === 0 && before > 0) this.onBack();
    this.repaint();
  }

  #paint() {
    const [height, rows] = [this.#rowHeight, this.rows];
    this.space.style.height = `${rows.length * height}px`;
    const first = Math.max(0, Math.floor(this.#top / height) - MARGIN_ROWS);
    const last = Math.min(rows.length, Math.ceil((this.#top + this.#height) / height) + MARGIN_ROWS);
    while (this.#elements.length < last - first) this.#grow();
    this.#elements.forEach((element, index) => this.#place(element, first + index, first + index < last));
    const chosen = this.#elements.find((element) => !element.node.hidden && element.row === this.selected);
    if (chosen && this.selected) this.grid.setAttribute("aria-activedescendant", chosen.node.id);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  #place(element, place, visible) {
    element.node.hidden = !visible;
    if (!visible) return;
    const row = this.rows.at(place);
    element.place = place;
    element.node.style.transform = `translateY(${place * this.#rowHeight}px)`;
    element.node.setAttribute("aria-selected", String(row === this.selected));
    element.node.setAttribute("aria-rowindex", String(place + 2));
    if (element.row !== row) this.#fill(element, row);
  }

  #fill(element, row) {
    element.row = row;
    element.node.className = `tail-row ${row.kind}`;
    element.node.dataset.testid = row.kind === "event" ? "row" : `row-${row.kind}`;
    if (row.kind === "event") this.#fillEvent(element, row);
    else element.node.replaceChildren(noteCell(row));
  }

  #fillEvent(element, row) {
    if (element.node.firstChild !== element.cells[0]) element.node.replaceChildren(...element.cells);
    const { at, stream, type, key, payload, id } = row.cells;
    element.node.dataset.eventId = id;
    [timeOfDay(at), stream, type ?? "", key ?? "", payload].forEach((text, index) => {
      const cell = element.cells[index];
      if (this.#needle && index > 0) cell.replaceChildren(...marked(text, this.#needle));
      else cell.textContent = text;
    });
  }

  #grow() {
    const node = part("div", { role: "row", id: `tail-row-${this.#elements.length}` });
    const cells = COLUMNS.map((name) => part("span", { role: "gridcell", class: name }));
    const element = { node, cells, row: null, place: -1 };
    node.element = element;
    this.#elements.push(element);
    this.space.append(node);
  }

  #clicked(event) {
    const node = event.target.closest(".tail-row");
    if (!node) return;
    this.#act(node.element.row, event.target.closest("button") !== null);
  }

  #act(row, load) {
    if (row.kind === "event") {
      this.selected = row;
      this.repaint();
      this.onOpen(row);
    } else if (row.kind === "gap" && load) {
      this.onLoad(row);
    }
  }

  #pressed(event) {
    const page = Math.max(1, Math.floor(this.#height / this.#rowHeight) - 2);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === "Enter" && this.selected && event.target === this.grid) this.#act(this.selected, true);
    else if (step && !event.ctrlKey && !event.metaKey && !event.altKey) this.#move(step);
    else return;
    event.preventDefault();
  }

  #move(step) {
    if (this.rows.length === 0) return;
    this.onAway();
    const now = this.selected ? this.rows.place(this.selected) : -1;
    const place = Math.min(this.rows.length - 1, Math.max(0, now + step));
    this.selected = this.rows.at(place);
    const head = this.grid.firstElementChild.offsetHeight;
    const [top, bottom] = [place * this.#rowHeight, (place + 1) * this.#rowHeight + head];
    if (top < this.#top) this.grid.scrollTop = top;
    else if (bottom > this.#top + this.#height) this.grid.scrollTop = bottom - this.#height;
    this.repaint();
  }
}

function noteCell(row) {
  const cell = part("span", { role: "gridcell", class: "note", "aria-colspan": String(COLUMNS.length) });
  cell.append(row.kind === "omitted" ? omittedText(row) : gapText(row));
  if (row.kind === "gap" && !row.outcome) {
    const button = part("button", { type: "button", class: "small secondary outline" });
    button.textContent = row.loading ? "Loading…" : "Load missing";
    button.disabled = row.loading;
    cell.append(" ", button);
  }
  return cell;
}

function omittedText({ omitted, unchecked }) {
  const texts = [];
  if (omitted) texts.push(`${plural(omitted, "more event")} not shown`);
  if (unchecked) texts.push(`${plural(unchecked, "event")} not compared with the filter`);
  return texts.join(", ");
}

function gapText({ missing, reason, outcome }) {
  const name = REASONS[reason] ?? reason;
  const what = missing === null ? "Missing: nobody knows how many events" : `Missing ${count(missing)} event${missing === 1 ? "" : "s"}`;
  return `${what} (${name})${outcome && `: ${outcome}`}`;
}

function part(name, attributes) {
  const node = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value);
  return node;
}
