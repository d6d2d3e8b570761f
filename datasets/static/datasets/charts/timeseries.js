/** A metric over time: mean between least and greatest, rolling median, outliers, changes of level, gaps. */

import { broken, columnOf, dots, line, mark, seconds, shade, translucent } from "./time_chart.js";

/** @param {object} result of the kind `timeseries`. @param {number} number of the metric */
export function timeseries(result, number) {
  const metric = result.metrics[number];
  const points = broken(metric.points, result.bucket_seconds);
  const median = new Map(metric.rolling_median.map(([at, value]) => [at, value]));
  const outliers = new Map(metric.outliers.map(([at, value]) => [at, value]));
  const at = (values) => points.map(([time]) => values.get(time) ?? null);
  const data = [columnOf(points, 0).map(seconds), columnOf(points, 4), columnOf(points, 3), columnOf(points, 2), at(median), at(outliers)];
  const gaps = result.gaps.map(({ from, to }) => [seconds(from), seconds(to)]);
  const changes = metric.change_points.map((change) => seconds(change.at));
  return (colour) => ({
    data,
    bands: [{ series: [1, 2], fill: translucent(colour("series-1"), 0.18) }],
    series: [
      line("Greatest", translucent(colour("series-1"), 0.35), { width: 1, points: { show: false } }),
      line("Least", translucent(colour("series-1"), 0.35), { width: 1, points: { show: false } }),
      line("Mean", colour("series-1")),
      line("Rolling median", colour("series-2"), { dash: [6, 4], points: { show: false } }),
      dots("Outlier", colour("failed")),
    ],
    hooks: {
      drawClear: [(plot) => shade(plot, gaps, translucent(colour("muted"), 0.16))],
      draw: [(plot) => mark(plot, changes, colour("series-4"))],
    },
  });
}
