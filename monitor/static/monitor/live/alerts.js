/** Thresholds of the user's own, kept in the browser; a banner while one is crossed. */

import { count } from "./format.js";

const STORED_AS = "live.thresholds";

const RULES = {
  rateAbove: (stats, limit) => stats.received.per_second > limit && `More than ${count(limit)} events a second`,
  rateBelow: (stats, limit) => stats.received.per_second < limit && `Fewer than ${count(limit)} events a second`,
  lagAbove: (stats, limit) => stats.lag_ms?.p99 > limit && `Storing takes longer than ${count(limit)} ms (p99)`,
  deadAbove: (stats, limit) => stats.dead > limit && `More than ${count(limit)} dead letters`,
};

/** What is to be said about a `stats` frame; `thresholds` are numbers by the name of their rule. */
export function crossed(thresholds, stats) {
  return Object.entries(RULES)
    .filter(([name]) => Number.isFinite(thresholds[name]))
    .map(([name, rule]) => rule(stats, thresholds[name]))
    .filter(Boolean);
}

export class Alerts {
  #title = document.title;

  constructor(banner, form) {
    Object.assign(this, { banner, form, thresholds: load() });
    for (const name of Object.keys(RULES)) form.elements[name].value = this.thresholds[name] ?? "";
    form.addEventListener("input", () => this.#changed());
  }

  check(stats) {
    const text = crossed(this.thresholds, stats).join(". ");
    const said = this.banner.textContent;
    if (text === said) return;
    this.banner.textContent = text;
    this.banner.hidden = !text;
    document.title = text ? `⚠ ${this.#title}` : this.#title;
  }

  #changed() {
    const values = Object.keys(RULES).map((name) => [name, this.form.elements[name].valueAsNumber]);
    this.thresholds = Object.fromEntries(values.filter(([, value]) => Number.isFinite(value)));
    try {
      localStorage.setItem(STORED_AS, JSON.stringify(this.thresholds));
    } catch {
      // Without storage they last as long as this page.
    }
  }
}

function load() {
  try {
    return JSON.parse(localStorage.getItem(STORED_AS)) ?? {};
  } catch {
    return {};
  }
}
