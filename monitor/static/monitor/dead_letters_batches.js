/** Replaying or discarding all letters of a filter, batch by batch. Knows nothing of the page. */

const BATCH = 500;

/**
 * Letters that are refused again fail after `ends_at`, so the batches that follow leave them alone.
 *
 * @param {"replay" | "discard"} action
 * @param {{query: Object<string, string>, ends_at: string}} chosen
 * @param {(method: string, path: string) => Promise<any>} call
 * @param {AbortSignal} stop looked at between batches
 * @param {(sums: Sums) => void} report called after each batch
 * @typedef {{stored: number, duplicates: number, dead: number, discarded: number, remaining: number}} Sums
 * @returns {Promise<Sums>} `remaining` is above 0 when it was stopped, or others hold these letters
 */
export async function run(action, chosen, call, stop, report) {
  const parameters = new URLSearchParams({ ...chosen.query, ends_at: chosen.ends_at, limit: String(BATCH) });
  const sums = { stored: 0, duplicates: 0, dead: 0, discarded: 0, remaining: Infinity };
  while (sums.remaining > 0 && !stop.aborted) {
    const before = sums.remaining;
    add(sums, await call("POST", `/api/dead-letters/${action}/?${parameters}`));
    report(sums);
    if (sums.remaining >= before) break;
  }
  return sums;
}

function add(sums, answer) {
  for (const name of ["stored", "duplicates", "dead", "discarded"]) sums[name] += answer[name] ?? 0;
  sums.remaining = answer.remaining;
}

/** @param {"replay" | "discard"} action @param {Sums} sums @returns {string} */
export function describe(action, sums) {
  const count = (number) => number.toLocaleString("en");
  if (action === "discard") return `${count(sums.discarded)} discarded, ${count(sums.remaining)} left.`;
  const again = sums.dead ? `, ${count(sums.dead)} refused again` : "";
  const same = sums.duplicates ? `, ${count(sums.duplicates)} were duplicates` : "";
  return `${count(sums.stored)} stored${same}${again}; ${count(sums.remaining)} not tried.`;
}
