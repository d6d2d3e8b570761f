/** Rows and duration, run by run, drawn by uPlot in the colours of the theme. */

import uPlot from "../assets/uPlot.esm.js";

const FONT = "11px system-ui, sans-serif";
const NARROW_PIXELS = 520;
const FEWEST_PLACES = 12;
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0, notation: "compact" });
const exact = new Intl.NumberFormat("en");

function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
}

/** @typedef {{at: number, status: string, rows: number, seconds: number|null}} Run `at` in Unix seconds */

export class RunChart {
  #plot = null;
  #runs = [];

  constructor(element) {
    this.element = element;
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(element);
    document.addEventListener("themechange", () => this.#runs.length && this.show(this.#runs));
  }

  /** @param {Run[]} runs the oldest first */
  show(runs) {
    this.#runs = runs;
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(), this.#data(), this.element);
  }

  #data() {
    const of = (read) => this.#runs.map(read);
    return [
      of((_, place) => place),
      of((run) => run.rows),
      of((run) => run.seconds),
      of((run) => (run.status === "failed" ? (run.seconds ?? 0) : null)),
    ];
  }

  #options() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`);
    const axis = (more) => this.#axis(colour, more);
    const last = Math.max(this.#runs.length, FEWEST_PLACES) - 0.4;
    const from0 = (_, low, high) => [0, Math.max(high * 1.08, 0.1)];
    return {
      ...this.#size(),
      padding: [10, 4, 0, 0],
      cursor: { y: false, drag: { x: false, y: false } },
      scales: { x: { time: false, range: [-0.6, last] }, rows: { range: (...given) => [0, Math.max(1, from0(...given)[1])] }, seconds: { range: from0 } },
      axes: [
        axis({ size: 26, space: 90, incrs: [1, 2, 5, 10, 20], values: (_, places) => places.map((place) => this.#clock(place)), grid: { show: false } }),
        axis({ scale: "rows", size: 50, space: 28, incrs: wholeSteps(), values: (_, values) => values.map((value) => whole.format(value)) }),
        axis({ scale: "seconds", side: 1, size: 50, space: 28, values: (_, values) => values.map(seconds), grid: { show: false } }),
      ],
      series: [
        { label: "Began", value: (_, place) => (place === null ? "–" : this.#clock(place)) },
        { label: "Rows", scale: "rows", paths: uPlot.paths.bars({ size: [0.7, 40] }), fill: colour("series-1"), stroke: colour("series-1"), width: 0, points: { show: false }, value: (_, value) => (value === null ? "–" : exact.format(value)) },
        { label: "Duration", scale: "seconds", stroke: colour("series-2"), width: 2, points: { show: this.#runs.length < 3, size: 6, fill: colour("series-2") }, value: (_, value) => seconds(value) },
        { label: "Failed", scale: "seconds", stroke: colour("failed"), paths: () => null, points: { show: true, size: 9, fill: colour("failed") }, value: (_, value) => (value === null ? "–" : "yes") },
      ],
    };
  }

  #axis(colour, more) {
    const thin = { stroke: colour("line"), width: 1 };
    return { stroke: colour("muted"), font: FONT, grid: thin, ticks: { ...thin, size: 4 }, ...more };
  }

  #clock(place) {
    const run = this.#runs[place];
    if (!run) return "";
    const text = new Date(run.at * 1000).toISOString();
    const spansDays = this.#runs.at(-1).at - this.#runs[0].at > 86_400;
    return spansDays ? `${text.slice(5, 10)} ${text.slice(11, 16)}` : text.slice(11, 19);
  }

  #size() {
    const width = this.element.clientWidth;
    return { width, height: width < NARROW_PIXELS ? 150 : 190 };
  }
}

const wholeSteps = () => Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();
