/** Swings of a metric: its mean with kept steps and turning points; its volatility with the threshold. */

import { broken, columnOf, dots, line, seconds, shade, translucent } from "./time_chart.js";

const KEPT = 4;

/** @param {object} result of the kind `swings` */
export function swings(result) {
  const points = broken(result.points, result.bucket_seconds);
  const times = columnOf(points, 0);
  const turns = (kind) => {
    const found = new Map(result.turning_points.filter((turn) => turn.kind === kind).map((turn) => [seconds(turn.at), turn.value]));
    return times.map((time) => found.get(seconds(time)) ?? null);
  };
  const data = [times.map(seconds), columnOf(points, 1), turns("peak"), turns("trough")];
  const kept = stretches(points, result.bucket_seconds);
  return (colour) => ({
    data,
    series: [line("Mean", colour("series-1")), dots("Peak", colour("series-5"), { size: 9 }), dots("Trough", colour("series-3"), { size: 9 })],
    hooks: { drawClear: [(plot) => shade(plot, kept, translucent(colour("series-2"), 0.22))] },
  });
}

export function volatility(result) {
  const points = broken(result.points, result.bucket_seconds);
  const threshold = new Map(result.threshold.map(([at, value]) => [at, value]));
  const data = [columnOf(points, 0).map(seconds), columnOf(points, 3), points.map(([at]) => threshold.get(at) ?? null)];
  return (colour) => ({ data, series: [line("Volatility", colour("series-4")), line("Threshold", colour("series-2"), { dash: [6, 4] })] });
}

/** From the first to the end of the last of steps that are kept one after the other, in Unix seconds. */
function stretches(points, bucketSeconds) {
  const found = [];
  for (const point of points.filter((one) => one[KEPT])) {
    const from = seconds(point[0]);
    const last = found.at(-1);
    if (last && from - last[1] < bucketSeconds / 2) last[1] = from + bucketSeconds;
    else found.push([from, from + bucketSeconds]);
  }
  return found;
}
