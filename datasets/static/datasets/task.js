/** The page of an analysis: its charts, as soon as there is a result. */

import "./process.js";

try {
  const { drawCharts } = await import("./charts.js");
  drawCharts();
  document.addEventListener("refreshed", () => drawCharts());
} catch (error) {
  console.error("The charts could not be loaded.", error);
}
