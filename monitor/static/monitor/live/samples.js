/** What the charts are made of: the last hour by the minute from the history, and by the second since the page is open. */

export const OTHER = "(other)";
export const UNTYPED = "(no type)";
const MOST_TYPES = 7;
const KEPT_MS = 61 * 60_000;
const MINUTE_MS = 60_000;
const BUCKET_SECONDS = { 5: 2, 15: 5, 60: 20 };

/**
 * @typedef {object} Table Columns of a chart.
 * @property {number[]} at Unix seconds, ascending.
 * @property {{name: string, slot: number}[]} types At most MOST_TYPES, the busiest first, then OTHER if there is one.
 * @property {(number|null)[][]} rates Events per second for each type; null where nothing is known.
 */

export class Samples {
  #seconds = [];
  #minutes = new Map();
  #known = { from: Infinity, to: -Infinity };
  #lags = [];
  #slots = new Map();

  /** Take what `/api/stats/history/` answers, in place of what it answered before. */
  past(history) {
    const to = Date.parse(history.now);
    this.#minutes = new Map();
    this.#known = { from: to - (to % MINUTE_MS) - history.minutes * MINUTE_MS, to };
    for (const { minute, type, events } of history.events) {
      const counts = getOrMake(this.#minutes, Date.parse(minute), () => new Map());
      add(counts, nameOf(type), events);
    }
    const oldest = this.#lags.find((lag) => lag.live)?.at ?? Infinity;
    const earlier = history.lag.map(({ at, p50, p99 }) => ({ at: Date.parse(at), p50, p99 }));
    this.#lags = [...earlier.filter((lag) => lag.at < oldest), ...this.#lags.filter((lag) => lag.live)];
  }

  /** Take a `stats` frame. */
  add(stats) {
    const at = stats.at * 1000;
    const counts = new Map();
    let listed = 0;
    for (const { type, n } of stats.by_type) {
      add(counts, nameOf(type), n);
      listed += n;
    }
    if (stats.received.n > listed) add(counts, OTHER, stats.received.n - listed);
    this.#seconds.push({ at, seconds: stats.interval_seconds, counts });
    if (stats.lag_ms) this.#lags.push({ at, live: true, ...stats.lag_ms });
    this.#forget(at - KEPT_MS);
  }

  /** @returns {Table} The events per second of the last so many minutes. */
  rates(minutes, nowMs) {
    const width = BUCKET_SECONDS[minutes] * 1000;
    const { at, places } = grid(minutes, width, nowMs);
    const buckets = at.map((start) => this.#ofHistory(start, width));
    this.#fillLive(buckets, places);
    const types = this.#ranked(buckets);
    const named = new Set(types.map((type) => type.name));
    const rates = types.map(({ name }) => buckets.map((bucket) => bucket && rateOf(bucket, name, named)));
    return { at: at.map((start) => start / 1000), types, rates };
  }

  /** Unix seconds, and the milliseconds of p50 and p99 then. */
  lags(minutes, nowMs) {
    const { at, places } = grid(minutes, BUCKET_SECONDS[minutes] * 1000, nowMs);
    const [p50, p99] = [at.map(() => null), at.map(() => null)];
    for (const lag of this.#lags) {
      const place = places(lag.at);
      if (place < 0) continue;
      p50[place] = lag.p50;
      p99[place] = lag.p99;
    }
    return { at: at.map((start) => start / 1000), p50, p99 };
  }

  #ofHistory(start, width) {
    if (start + width <= this.#known.from || start >= this.#known.to) return null;
    const minute = start - (start % MINUTE_MS);
    const seconds = (Math.min(minute + MINUTE_MS, this.#known.to) - minute) / 1000;
    return { live: false, seconds, counts: this.#minutes.get(minute) ?? new Map() };
  }

  #fillLive(buckets, places) {
    for (const sample of this.#seconds) {
      const place = places(sample.at);
      if (place < 0) continue;
      if (!buckets[place]?.live) buckets[place] = { live: true, seconds: 0, counts: new Map() };
      buckets[place].seconds += sample.seconds;
      for (const [type, n] of sample.counts) add(buckets[place].counts, type, n);
    }
  }

  /** The busiest types of these buckets. A type keeps its slot, which is its colour, while it is among them. */
  #ranked(buckets) {
    const sums = new Map();
    for (const bucket of buckets) {
      if (bucket) for (const [type, n] of bucket.counts) add(sums, type, n / bucket.seconds);
    }
    const ordered = [...sums].filter(([type]) => type !== OTHER).sort(([, a], [, b]) => b - a);
    const names = ordered.slice(0, MOST_TYPES).map(([type]) => type);
    for (const type of this.#slots.keys()) if (!names.includes(type)) this.#slots.delete(type);
    for (const name of names) if (!this.#slots.has(name)) this.#slots.set(name, this.#freeSlot());
    const types = names.map((name) => ({ name, slot: this.#slots.get(name) }));
    const others = ordered.length > MOST_TYPES || sums.has(OTHER);
    return others ? [...types, { name: OTHER, slot: MOST_TYPES }] : types;
  }

  #freeSlot() {
    const taken = new Set(this.#slots.values());
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    return slot;
  }

  #forget(before) {
    while (this.#seconds[0]?.at < before) this.#seconds.shift();
    while (this.#lags[0]?.at < before) this.#lags.shift();
  }
}

/** The starts of the buckets up to now in ms, and which of them a moment falls into (-1 for none). */
function grid(minutes, width, nowMs) {
  const last = nowMs - (nowMs % width);
  const number = Math.ceil((minutes * MINUTE_MS) / width);
  const first = last - (number - 1) * width;
  const places = (moment) => (moment < first || moment >= last + width ? -1 : Math.floor((moment - first) / width));
  return { at: Array.from({ length: number }, (_, index) => first + index * width), places };
}

function rateOf(bucket, name, named) {
  if (bucket.seconds <= 0) return null;
  if (name !== OTHER) return (bucket.counts.get(name) ?? 0) / bucket.seconds;
  let rest = 0;
  for (const [type, n] of bucket.counts) if (type === OTHER || !named.has(type)) rest += n;
  return rest / bucket.seconds;
}

/** What a type is called on the page; the feed says null for none, the store the empty text. */
export const nameOf = (type) => type || UNTYPED;

const add = (counts, name, n) => counts.set(name, (counts.get(name) ?? 0) + n);

function getOrMake(map, key, make) {
  if (!map.has(key)) map.set(key, make());
  return map.get(key);
}
