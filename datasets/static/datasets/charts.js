/** Draws each place with `data-chart`, from the JSON that `data-block` names. */

import { swings, volatility } from "./charts/swings.js";
import { TimeChart } from "./charts/time_chart.js";
import { timeseries } from "./charts/timeseries.js";

const KINDS = { timeseries, swings, volatility };

export function drawCharts(root = document) {
  for (const place of root.querySelectorAll("[data-chart]:not(:has(canvas))")) {
    const { chart, block, number } = place.dataset;
    const result = JSON.parse(document.getElementById(block).textContent);
    new TimeChart(place, KINDS[chart](result, Number(number ?? 0)), { sync: block });
  }
}
