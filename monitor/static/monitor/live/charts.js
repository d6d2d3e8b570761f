/** The two charts of the page, and what they show in words. */

import { count, rate } from "./format.js";

const MILLISECONDS = (value) => (value === null ? "–" : `${count(value)} ms`);

export class Charts {
  #rates = null;
  #lags = null;

  /** `minutes` is the window: 5, 15 or 60. */
  constructor(samples, minutes) {
    Object.assign(this, { samples, minutes });
  }

  /** The library comes on its own, so that the page does without it when it is not there. */
  async load() {
    try {
      const { Chart } = await import("./chart.js");
      this.#rates = new Chart(part("rates-chart"), { stacked: true, format: rate });
      this.#lags = new Chart(part("lags-chart"), { stacked: false, format: (value) => count(value) });
    } catch (error) {
      part("rates-empty").textContent = part("lags-empty").textContent = "The charts are not installed: run make assets.";
      console.error("The charts could not be loaded.", error);
    }
  }

  show(nowMs) {
    if (!this.#rates || document.hidden) return;
    this.#showRates(this.samples.rates(this.minutes, nowMs));
    this.#showLags(this.samples.lags(this.minutes, nowMs));
  }

  #showRates({ at, types, rates }) {
    const some = rates.some((values) => values.some((value) => value > 0));
    toggle("rates", some, `No events in the last ${this.minutes} minutes.`);
    if (!some) return;
    this.#rates.show(at, types.map(({ name, slot }, index) => ({ label: name, slot, values: rates[index] })));
    part("rates-summary").textContent = ratesInWords(this.minutes, types, rates);
  }

  #showLags({ at, p50, p99 }) {
    const some = p99.some((value) => value !== null);
    toggle("lags", some, `Nothing was stored in the last ${this.minutes} minutes.`);
    if (!some) return;
    this.#lags.show(at, [
      { label: "p50", slot: 0, values: p50 },
      { label: "p99", slot: 4, values: p99 },
    ]);
    const known = p99.filter((value) => value !== null);
    part("lags-summary").textContent =
      `From acceptance to storage in the last ${this.minutes} minutes: 99 % within ${MILLISECONDS(known.at(-1))} now,` +
      ` ${MILLISECONDS(Math.max(...known))} at the most.`;
  }
}

function ratesInWords(minutes, types, rates) {
  const places = rates[0].map((_, place) => rates.reduce((sum, values) => sum + (values[place] ?? 0), 0));
  const last = (values) => values.findLast((value) => value !== null) ?? 0;
  const busiest = types.slice(0, 3).map(({ name }, index) => `${name} ${rate(last(rates[index]))}`);
  return (
    `Events per second in the last ${minutes} minutes: at most ${rate(Math.max(...places))}.` +
    ` The busiest types, now: ${busiest.join(", ")}.`
  );
}

function toggle(name, some, otherwise) {
  part(`${name}-empty`).hidden = some;
  if (!some) part(`${name}-empty`).textContent = part(`${name}-summary`).textContent = otherwise;
  part(`${name}-chart`).classList.toggle("empty", !some);
}

const part = (id) => document.getElementById(id);
