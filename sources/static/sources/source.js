/** The page of a source: the chart of its latest runs. */

const panel = document.querySelector("[data-chart-panel]");
const points = () => JSON.parse(document.getElementById("charted").textContent);
let shown = "";

async function show(chart) {
  const text = document.getElementById("charted").textContent;
  if (text === shown) return;
  shown = text;
  const runs = points();
  panel.hidden = runs.length === 0;
  panel.querySelector("[data-chart-summary]").textContent = inWords(runs);
  if (runs.length) chart.show(runs);
}

function inWords(runs) {
  const failed = runs.filter((run) => run.status === "failed").length;
  const longest = Math.max(...runs.map((run) => run.seconds ?? 0));
  const most = Math.max(...runs.map((run) => run.rows)).toLocaleString("en");
  return `${runs.length} run${runs.length === 1 ? "" : "s"}, ${failed} failed; at most ${most} rows and ${longest.toFixed(longest < 1 ? 3 : 1)} s`;
}

try {
  const { RunChart } = await import("./run_chart.js");
  const chart = new RunChart(panel.querySelector("[data-chart]"));
  show(chart);
  document.addEventListener("refreshed", () => show(chart));
} catch (error) {
  panel.hidden = true;
  console.error("The chart could not be loaded.", error);
}
