/** A chart over time, drawn by uPlot in the colours of the theme. */

import uPlot from "../../assets/uPlot.esm.js";
import { clock, UNKNOWN } from "./format.js";

const FONT = "11px system-ui, sans-serif";

/** @typedef {{label: string, slot: number, values: (number|null)[]}} Line */

export class Chart {
  #plot = null;
  #shape = "";
  #lines = [];

  /** `format(value)` writes values; a stacked chart shows the lines on top of each other, filled. */
  constructor(element, { stacked, format }) {
    Object.assign(this, { element, stacked, format });
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(element);
    document.addEventListener("themechange", () => this.#repaint());
  }

  /** @param {number[]} at Unix seconds. @param {Line[]} lines */
  show(at, lines) {
    this.#lines = lines;
    const shape = JSON.stringify(lines.map(({ label, slot }) => [label, slot]));
    const data = [at, ...(this.stacked ? stack(lines) : lines.map((line) => line.values))];
    if (shape !== this.#shape) this.#make(shape, data);
    else this.#plot.setData(data);
  }

  #repaint() {
    if (this.#plot) this.#make(this.#shape, this.#plot.data);
  }

  #make(shape, data) {
    this.#shape = shape;
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(), data, this.element);
  }

  #options() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`);
    return {
      ...this.#size(),
      padding: [8, 18, 0, 0],
      cursor: { y: false, drag: { x: false, y: false } },
      legend: { live: true },
      scales: { x: { time: true }, y: { range: (_, low, high) => [0, Math.max(1, high * 1.08)] } },
      axes: [this.#axis(colour, { size: 26, space: 70, values: (_, ticks) => ticks.map(clock) }), this.#axis(colour, { size: 46, space: 28, values: (_, ticks) => ticks.map(this.format) })],
      series: [{ value: (_, at) => (at === null ? "latest" : clock(at)), label: "Time" }, ...this.#lines.map((line, index) => this.#series(line, index, colour))],
      bands: this.stacked ? this.#lines.slice(1).map((_, index) => ({ series: [index + 2, index + 1] })) : [],
    };
  }

  #axis(colour, more) {
    const thin = { stroke: colour("line"), width: 1 };
    return { stroke: colour("muted"), font: FONT, grid: thin, ticks: { ...thin, size: 4 }, ...more };
  }

  #series({ label, slot }, index, colour) {
    const stroke = colour(`series-${slot + 1}`);
    return {
      label,
      stroke,
      width: this.stacked ? 1 : 1.5,
      fill: this.stacked ? translucent(stroke) : undefined,
      points: { show: false },
      spanGaps: !this.stacked,
      value: (_, value, series, place) => this.#written(this.#lines[index].values, place),
    };
  }

  /** The value at the cursor; without one the latest. */
  #written(values, place) {
    const value = place === null ? values.findLast((known) => known !== null) : values[place];
    return value === null || value === undefined ? UNKNOWN : this.format(value);
  }

  #size() {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }
}

/** The lines as sums from the bottom up. */
function stack(lines) {
  const sums = [];
  let below = null;
  for (const { values } of lines) {
    const under = below;
    below = values.map((value, place) => (value === null ? null : value + (under?.[place] ?? 0)));
    sums.push(below);
  }
  return sums;
}

const translucent = (rgb) => rgb.replace(/^rgb\((.*)\)$/, "rgba($1, 0.65)");
