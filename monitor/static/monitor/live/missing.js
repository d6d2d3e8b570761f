/** Events that the feed has lost sight of, read from the store. */

import { elements, members } from "./json.js";
import { plural } from "./format.js";
import { EventRow } from "./rows.js";

const MOST = 1000;
const PAGE = 500;

/**
 * Read what was received between the neighbours of a gap and is not among the rows, and put it there. The gap says what came
 * of it.
 */
export async function loadMissing(gap, rows, selection, openedAt) {
  const { before, after } = rows.neighbours(gap);
  const starts = before ? before.cells.at : openedAt;
  const ends = new Date((after ? after.cells.at : new Date()).getTime() + 1);
  try {
    const { found, more } = await read(query(starts, ends, selection), rows.ids(), matcher(selection));
    rows.insertBefore(gap, found);
    gap.outcome = outcome(found.length, more, selection);
  } catch (error) {
    gap.outcome = `could not be loaded: ${error.message}`;
  }
}

function query(starts, ends, { stream, type }) {
  const parameters = new URLSearchParams({ starts_at: starts.toISOString(), ends_at: ends.toISOString() });
  parameters.set("order", "oldest");
  parameters.set("limit", String(PAGE));
  if (stream) parameters.set("stream", stream);
  if (type && !isPattern(type)) parameters.set("type", type);
  return parameters;
}

async function read(parameters, known, matches) {
  const found = [];
  let next = `?${parameters}`;
  while (next && found.length < MOST) {
    const page = members(await fetched(next));
    const rows = elements(page.get("results")).map((text) => new EventRow(text));
    found.push(...rows.filter((row) => !known.has(row.id) && matches(row.cells.type)));
    const address = JSON.parse(page.get("next"));
    next = address && new URL(address, location.href).search;
  }
  return { found: found.slice(0, MOST), more: Boolean(next) || found.length > MOST };
}

async function fetched(search) {
  const answer = await fetch(`/api/events/${search}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail ?? `status ${answer.status}`);
  return answer.text();
}

const isPattern = (type) => /[*?]/.test(type);

/** Whether a type is one that a pattern of the feed asks for. */
export function matcher({ type }) {
  if (!type) return () => true;
  const parts = type.split(/([*?])/).map((part) => ({ "*": ".*", "?": "." })[part] ?? part.replace(/[^\w]/g, "\\$&"));
  const pattern = new RegExp(`^${parts.join("")}$`, "s");
  return (candidate) => candidate !== null && pattern.test(candidate);
}

function outcome(found, more, { filter }) {
  const texts = [found ? `${plural(found, "event")} found in the store` : "nothing found in the store"];
  if (more) texts.push("there are more");
  if (filter && found) texts.push("whatever the filter");
  return texts.join(", ");
}
