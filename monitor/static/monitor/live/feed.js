/**
 * What the page is subscribed to: the events of a selection, and the statistics of the whole service. Goes on after a
 * lost connection or a change of the selection where it was, so that `counts` cover every event
 * exactly once, unless more than MOST_TO_CATCH_UP lie between.
 */

import { Connection } from "./connection.js";

const ACKNOWLEDGE_EVERY_MS = 900;
const MAX_RATE = 1000;
const STATS = "stats";
const MOST_TO_CATCH_UP = 5000;

/** @typedef {{stream: string, type: string, filter: string}} Selection Empty strings for whatever. */

export const EVERYTHING = Object.freeze({ stream: "", type: "", filter: "" });

export class Feed {
  counts = { received: 0, shown: 0, omitted: 0, filtered: 0, unchecked: 0, missing: 0 };
  #id = 0;
  #position = null;
  #end = 0;
  #selection = EVERYTHING;
  #accepted = null;
  #acknowledged = 0;
  #acknowledgedAt = 0;
  #state = { name: "connecting" };

  /**
   * The listener has `onState(state)`, `onEvents(frame)`, `onGap(frame)`, `onStats(frame)`, `onFollowed(selection)` and
   * `onRefused(error, selection)`, after which the last selection that was accepted is followed again.
   */
  constructor(url, listener) {
    this.listener = listener;
    this.connection = new Connection(url, {
      onFrame: (frame) => this.#take(frame),
      onState: (state) => this.#connected(state),
    });
  }

  /** @param {Selection} selection */
  start(selection) {
    this.#selection = selection;
    this.connection.open();
  }

  /** @param {Selection} selection */
  follow(selection) {
    this.connection.send({ op: "unsub", id: this.#name });
    this.#selection = selection;
    // A stretch without a match may reach far back; who looks for something else now does not miss it.
    if (this.#end - (this.#position?.seq ?? 0) > MOST_TO_CATCH_UP) this.#position = null;
    this.#subscribe();
  }

  /** Whether something narrows what is followed. */
  get narrowed() {
    return Object.values(this.#selection).some(Boolean);
  }

  get #name() {
    return `tail-${this.#id}`;
  }

  #connected(state) {
    this.#acknowledged = this.#position?.seq ?? 0;
    if (state.name === "open") {
      this.connection.send({ op: "sub", id: STATS, mode: "stats" });
      this.#subscribe();
    } else {
      this.#tell(state);
    }
  }

  #subscribe() {
    this.#id += 1;
    const frame = { op: "sub", id: this.#name, max_rate: MAX_RATE };
    for (const [name, value] of Object.entries(this.#selection)) if (value) frame[name] = value;
    if (this.#position) frame.since = this.#position;
    this.connection.send(frame);
  }

  #take(frame) {
    if (frame.op === "stats") this.#report(frame);
    else if (frame.id === this.#name || frame.op === "error") this.#handle(frame);
    this.#acknowledge();
  }

  #report(frame) {
    this.#end = frame.received.total ?? this.#end;
    this.listener.onStats(frame);
  }

  #handle(frame) {
    if (frame.op === "events") this.#events(frame);
    else if (frame.op === "gap") this.#gap(frame);
    else if (frame.op === "ok") this.#followed(frame);
    else if (frame.op === "error") this.#refused(frame);
  }

  #followed(frame) {
    this.#position = { epoch: frame.epoch, seq: frame.seq };
    this.#accepted = this.#selection;
    this.#tell({ name: "live" });
    this.listener.onFollowed(this.#selection);
  }

  #events(frame) {
    this.#position = { epoch: frame.epoch, seq: frame.to };
    this.counts.received += frame.n;
    this.counts.shown += frame.events.length;
    this.counts.omitted += frame.omitted;
    this.counts.unchecked += frame.unchecked;
    this.counts.filtered += frame.n - frame.matched - frame.unchecked;
    this.listener.onEvents(frame);
    this.#tell(frame.behind > 0 ? { name: "catching_up", behind: frame.behind } : { name: "live" });
  }

  #gap(frame) {
    this.#position = { epoch: frame.epoch, seq: frame.to };
    this.counts.missing += frame.to - frame.from + 1;
    this.listener.onGap(frame);
  }

  #refused(frame) {
    if (frame.code === "behind") this.#tell({ name: "catching_up", behind: null });
    if (frame.id !== this.#name) return;
    if (frame.code === "bad_since") {
      this.#position = null;
      this.listener.onGap({ from: 1, to: 0, reason: "new_epoch" });
    } else {
      this.listener.onRefused(frame, this.#selection);
      if (this.#selection === EVERYTHING) return this.#tell({ name: "refused", message: frame.message });
      this.#selection = this.#accepted === this.#selection ? EVERYTHING : (this.#accepted ?? EVERYTHING);
    }
    this.#subscribe();
  }

  #acknowledge() {
    const seq = this.#position?.seq ?? 0;
    if (seq === this.#acknowledged || Date.now() - this.#acknowledgedAt < ACKNOWLEDGE_EVERY_MS) return;
    this.connection.send({ op: "ack", seq });
    this.#acknowledged = seq;
    this.#acknowledgedAt = Date.now();
  }

  #tell(state) {
    if (state.name === this.#state.name && state.behind === this.#state.behind && state.name === "live") return;
    this.#state = state;
    this.listener.onState(state);
  }
}
