/** The busiest types or streams, each with its rate and its last minute; a click filters by it. */

import { rate } from "./format.js";

const POINTS = 60;
const MOST = 10;
const FORGET_AFTER = 60;
const SORT_EVERY = 5;
const [WIDTH, HEIGHT] = [72, 18];
const SVG = "http://www.w3.org/2000/svg";

export class Top {
  #entries = new Map();
  #tick = 0;
  #chosen = "";

  /** `nameOf(entry)` of a `stats` frame; `onChoose(name)` with the empty text to clear. Null names are shown, not offered. */
  constructor(list, empty, { nameOf, titleOf, onChoose }) {
    Object.assign(this, { list, empty, nameOf, titleOf, onChoose });
    list.addEventListener("click", (event) => this.#clicked(event));
  }

  add(reports) {
    for (const report of reports) this.#entry(this.nameOf(report)).now = report;
    for (const [name, entry] of this.#entries) this.#advance(name, entry);
    if (this.#tick % SORT_EVERY === 0) this.#sort();
    this.#tick += 1;
    this.empty.hidden = this.#entries.size > 0;
  }

  /** The names seen of late. */
  names() {
    return [...this.#entries.keys()].filter((name) => name !== null);
  }

  choose(name) {
    this.#chosen = name;
    for (const [other, entry] of this.#entries) entry.button.setAttribute("aria-pressed", String(other === name));
  }

  #entry(name) {
    let entry = this.#entries.get(name);
    if (!entry) {
      entry = { rates: [], quiet: 0, perSecond: 0, now: null, ...this.#build(name) };
      this.#entries.set(name, entry);
      if (this.list.childElementCount < MOST) this.list.append(entry.item);
    }
    return entry;
  }

  #advance(name, entry) {
    entry.rates.push(entry.now?.n ?? 0);
    if (entry.rates.length > POINTS) entry.rates.shift();
    entry.perSecond = entry.now?.per_second ?? 0;
    entry.quiet = entry.now ? 0 : entry.quiet + 1;
    entry.now = null;
    if (entry.quiet > FORGET_AFTER && name !== this.#chosen) {
      this.#entries.delete(name);
      entry.item.remove();
    } else if (entry.item.isConnected && !document.hidden) {
      entry.value.textContent = rate(entry.perSecond);
      entry.line.setAttribute("points", points(entry.rates));
    }
  }

  #sort() {
    const ordered = [...this.#entries.values()].sort((a, b) => b.perSecond - a.perSecond).slice(0, MOST);
    const items = ordered.map((entry) => entry.item);
    if (items.length !== this.list.childElementCount || items.some((item, place) => item !== this.list.children[place])) {
      const focused = document.activeElement;
      this.list.replaceChildren(...items);
      if (this.list.contains(focused)) focused.focus();
    }
  }

  #build(name) {
    const item = document.createElement("li");
    const button = item.appendChild(document.createElement("button"));
    button.type = "button";
    button.disabled = name === null;
    button.name = name ?? "";
    button.setAttribute("aria-pressed", String(name === this.#chosen));
    const label = button.appendChild(document.createElement("span"));
    label.className = "name";
    label.textContent = label.title = this.titleOf(name);
    const line = button.appendChild(sparkline());
    const value = button.appendChild(document.createElement("span"));
    value.className = "value";
    return { item, button, value, line: line.firstChild };
  }

  #clicked(event) {
    const button = event.target.closest("button");
    if (button) this.onChoose(button.name === this.#chosen ? "" : button.name);
  }
}

function sparkline() {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of [["viewBox", `0 0 ${WIDTH} ${HEIGHT}`], ["class", "sparkline"], ["aria-hidden", "true"]]) {
    svg.setAttribute(name, value);
  }
  const line = document.createElementNS(SVG, "polyline");
  svg.append(line);
  return svg;
}

function points(rates) {
  const most = Math.max(1, ...rates);
  const x = (place) => (((POINTS - rates.length + place) / (POINTS - 1)) * WIDTH).toFixed(1);
  return rates.map((n, place) => `${x(place)},${(HEIGHT - 1 - (n / most) * (HEIGHT - 2)).toFixed(1)}`).join(" ");
}
