/** A chart over time in UTC, drawn by uPlot in the colours of the theme. */

import uPlot from "../../assets/uPlot.esm.js";

const FONT = "11px system-ui, sans-serif";
const NARROW_PIXELS = 520;
const UNKNOWN = "–";
const DAY_SECONDS = 86_400;
const compact = new Intl.NumberFormat("en", { maximumSignificantDigits: 4, notation: "compact" });
const exact = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });

export const written = (value) => (value === null || value === undefined ? UNKNOWN : exact.format(value));

/** Unix seconds of Unix milliseconds or of ISO 8601. */
export const seconds = (time) => (typeof time === "string" ? Date.parse(time) : time) / 1000;

/** @typedef {(name: string) => string} Colour a custom property of the theme, such as `series-1` */

export class TimeChart {
  #plot = null;

  /** `draw(colour)` gives `data` (x in Unix seconds first) and what of uPlot's options it wants: series, bands, hooks. */
  constructor(element, draw, { sync } = {}) {
    Object.assign(this, { element, draw, sync });
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(element);
    document.addEventListener("themechange", () => this.element.isConnected && this.#show());
    this.#show();
  }

  #show() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`);
    const { data, series, ...more } = this.draw(colour);
    this.#plot?.destroy();
    this.#plot = new uPlot({ ...this.#options(colour), ...more, series: [moment, ...series] }, data, this.element);
  }

  #options(colour) {
    const axis = (rest) => ({ stroke: colour("muted"), font: FONT, grid: thin(colour), ticks: { ...thin(colour), size: 4 }, ...rest });
    return {
      ...this.#size(),
      padding: [10, 12, 0, 0],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      cursor: { y: false, drag: { x: true, y: false }, ...(this.sync && { sync: { key: this.sync } }) },
      scales: { x: { range: around } },
      axes: [axis({ size: 26, space: 90, values: clocks }), axis({ size: 56, space: 28, values: (_, values) => values.map((value) => compact.format(value)) })],
    };
  }

  #size() {
    const width = this.element.clientWidth;
    const height = this.element.classList.contains("low") ? 130 : 250;
    return { width, height: width < NARROW_PIXELS ? Math.round(height * 0.8) : height };
  }
}

/** What the chart shows of time: a moment that is alone stands in the middle of a minute. */
const around = ({ data: [times] }, from, to) => (times.length === 1 ? [times[0] - 30, times[0] + 30] : [from, to]);

const thin = (colour) => ({ stroke: colour("line"), width: 1 });
const utc = (at) => new Date(at * 1000).toISOString();
const moment = { label: "UTC", value: (_, at) => (at === null ? UNKNOWN : utc(at).slice(0, 19).replace("T", " ")) };

/** As little of the times as tells them apart. */
function clocks(plot, ticks) {
  const { min, max } = plot.scales.x;
  const [from, to] = max - min > 20 * DAY_SECONDS ? [0, 10] : max - min > DAY_SECONDS ? [5, 16] : max - min > 600 ? [11, 16] : [11, 19];
  return ticks.map((at) => utc(at).slice(from, to).replace("T", " "));
}

export const translucent = (rgb, part) => rgb.replace(/^rgb\((.*)\)$/, `rgba($1, ${part})`);

/** A line, with a point where it has no neighbour to be joined to. */
export function line(label, stroke, more = {}) {
  const alone = (plot, index) => {
    const values = plot.data[index];
    return values.flatMap((value, place) => (value !== null && (values[place - 1] ?? null) === null && (values[place + 1] ?? null) === null ? [place] : []));
  };
  return { label, stroke, width: 1.5, points: { show: true, size: 4, fill: stroke, filter: alone }, value: (_, value) => written(value), ...more };
}

/** Points alone. */
export function dots(label, stroke, more = {}) {
  return { label, stroke, paths: () => null, points: { show: true, size: 8, width: 1.5, stroke, fill: "transparent", ...more }, value: (_, value) => written(value) };
}

/** Stretches of time, in Unix seconds, as ground. */
export function shade(plot, stretches, fill) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = fill;
  for (const [from, to] of stretches) {
    const [left, right] = [from, to].map((at) => Math.min(Math.max(plot.valToPos(at, "x", true), bbox.left), bbox.left + bbox.width));
    if (right > left) ctx.fillRect(left, bbox.top, Math.max(right - left, 1), bbox.height);
  }
  ctx.restore();
}

/** Moments as dashed lines from top to bottom. */
export function mark(plot, moments, stroke) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  for (const at of moments) {
    const x = plot.valToPos(at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** The points, [milliseconds, …], with one that has nothing wherever a step is left out: lines break there. */
export function broken(points, bucketSeconds) {
  const whole = [];
  for (const point of points) {
    const before = whole.at(-1)?.[0];
    if (before !== undefined && point[0] - before > bucketSeconds * 1500) whole.push([before + bucketSeconds * 1000]);
    whole.push(point);
  }
  return whole;
}

export const columnOf = (points, place) => points.map((point) => point[place] ?? null);
