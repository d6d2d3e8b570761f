/** The live page: what comes from the feed goes to its parts, what the user does goes to the feed. */

import { Alerts } from "./alerts.js";
import { Charts } from "./charts.js";
import { EventDialog } from "./dialog.js";
import { csv, ndjson, save } from "./export.js";
import { Feed } from "./feed.js";
import { showFigures } from "./figures.js";
import { Filters } from "./filters.js";
import { count } from "./format.js";
import { listen } from "./keyboard.js";
import { loadMissing } from "./missing.js";
import { GapRow, Rows, rowsOfFrame } from "./rows.js";
import { Samples, UNTYPED } from "./samples.js";
import { Status } from "./status.js";
import { Tail } from "./tail.js";
import { Top } from "./top.js";

const NOTHING_CAME = "Nothing has come since this page was opened.";
const NOTHING_MATCHED = "Nothing that the filter asks for has come since it was set.";
const part = (id) => document.getElementById(id);
const openedAt = new Date();
const rows = new Rows();
const samples = new Samples();
const alerts = new Alerts(part("alert"), part("thresholds"));
const dialog = new EventDialog(part("event"));
const status = new Status(() => feed.connection.retryNow());
const charts = new Charts(samples, 15);
let pausedBy = "";
let connectedBefore = false;

const feed = new Feed(`${location.origin.replace("http", "ws")}/ws/events/`, {
  onState(state) {
    status.show(state);
    part("figures").classList.toggle("stale", !["live", "catching_up"].includes(state.name));
  },
  onFollowed: followed,
  onRefused: refused,
  onStats: report,
  onEvents(frame) {
    rows.add(rowsOfFrame(frame), frame.matched);
    changed();
  },
  onGap(frame) {
    rows.add([new GapRow(frame)], 0);
    changed();
  },
});

const tail = new Tail(part("tail"), part("tail-space"), rows, {
  onOpen: (row) => dialog.open(row),
  onLoad: load,
  onAway: () => pausedBy || pause("scroll"),
  onBack: () => pausedBy === "scroll" && resume(),
});

const filters = new Filters(part("filters"), { onSelect: select, onHighlight: (text) => tail.highlight(text) });

const types = new Top(part("top-types"), part("top-types-empty"), {
  nameOf: (entry) => entry.type,
  titleOf: (name) => name ?? UNTYPED,
  onChoose: (type) => filters.set({ type }),
});

const streams = new Top(part("top-streams"), part("top-streams-empty"), {
  nameOf: (entry) => entry.stream,
  titleOf: (name) => name,
  onChoose: (stream) => filters.set({ stream }),
});

function report(stats) {
  showFigures(stats);
  alerts.check(stats);
  samples.add(stats);
  charts.show(stats.at * 1000);
  types.add(stats.by_type);
  streams.add(stats.by_stream);
  filters.suggest("type", types.names());
  filters.suggest("stream", streams.names());
}

function followed() {
  if (connectedBefore) readHistory();
  connectedBefore = true;
  changed();
}

function select(values) {
  rows.clear();
  feed.follow({ stream: values.stream, type: values.type, filter: values.filter });
  choose(values);
  resume();
  changed();
}

function choose({ stream, type }) {
  types.choose(type);
  streams.choose(stream);
}

function refused(error, selection) {
  filters.refuse(error.code === "permission_denied" || !selection.filter ? "stream" : "filter", error.message);
}

async function load(gap) {
  gap.loading = true;
  tail.changed(gap);
  await loadMissing(gap, rows, filters.values, openedAt);
  gap.loading = false;
  tail.changed(gap);
}

/** The minutes that this page did not see itself. */
async function readHistory() {
  try {
    const answer = await fetch("/api/stats/history/?minutes=60");
    if (answer.ok) samples.past(await answer.json());
  } catch {
    // The charts keep their gap.
  }
}

function pause(by) {
  pausedBy = by;
  rows.hold();
  changed();
}

function resume() {
  pausedBy = "";
  rows.release();
  tail.toNewest();
  changed();
}

const togglePause = () => (pausedBy ? resume() : pause("user"));

let asked = false;
function changed() {
  tail.repaint();
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    showCounts();
  });
}

function showCounts() {
  for (const [name, number] of Object.entries(feed.counts)) {
    const node = part("counts").querySelector(`[data-testid="${name}"]`);
    if (node) node.textContent = count(number);
  }
  part("pause").textContent = pausedBy ? "Resume" : "Pause";
  part("pause").setAttribute("aria-pressed", String(Boolean(pausedBy)));
  part("paused-new").textContent = rows.fresh ? `${count(rows.fresh)} new while paused` : "";
  part("tail-empty").hidden = rows.length > 0;
  part("tail-empty").textContent = feed.narrowed ? NOTHING_MATCHED : NOTHING_CAME;
  part("tail").setAttribute("aria-rowcount", String(rows.length + 1));
  status.pause(Boolean(pausedBy));
}

function saveAs(kind) {
  const name = `events-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}`;
  if (kind === "csv") save(`${name}.csv`, "text/csv", csv(rows.events()));
  else save(`${name}.ndjson`, "application/x-ndjson", ndjson(rows.events()));
}

part("pause").addEventListener("click", togglePause);
part("window").addEventListener("change", (event) => {
  charts.minutes = Number(event.target.value);
  charts.show(Date.now());
});
document.addEventListener("click", (event) => {
  const { export: kind, opens } = event.target.closest("button")?.dataset ?? {};
  if (kind) saveAs(kind);
  if (opens) part(opens).showModal();
});
listen({
  " ": togglePause,
  "/": () => filters.focus(),
  "?": () => part("help").showModal(),
  Escape: () => (document.activeElement.closest("input") ? document.activeElement.blur() : filters.any && part("filters").reset()),
});

samples.past(JSON.parse(part("live-history").textContent) ?? { now: openedAt.toISOString(), minutes: 0, events: [], lag: [] });
charts.load().then(() => charts.show(Date.now()));
choose(filters.values);
tail.highlight(filters.values.highlight);
feed.start({ stream: filters.values.stream, type: filters.values.type, filter: filters.values.filter });
const asksFor = new URLSearchParams(location.search).get("event");
if (asksFor) dialog.openById(asksFor);
