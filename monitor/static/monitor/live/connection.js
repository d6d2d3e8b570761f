/** One WebSocket at a time, opened again after it broke, as long as that makes sense. */

import { members, elements } from "./json.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const SILENCE_MS = 45_000;
const WATCH_EVERY_MS = 5_000;

/**
 * @typedef {{name: "connecting"} | {name: "open"} | {name: "waiting", until: number}
 *   | {name: "logged_out"} | {name: "refused", message: string}} ConnectionState `until` is a time in ms.
 */

/** The frame as an object; of `events` each stays text until somebody looks at it. */
export function decode(text) {
  const frame = {};
  for (const [name, value] of members(text)) frame[name] = name === "events" ? elements(value) : JSON.parse(value);
  return frame;
}

/** How long to wait before the attempt of this number, from 0. */
export function pauseMs(attempt, random = Math.random) {
  return Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS) * (0.5 + random() / 2);
}

export class Connection {
  #socket = null;
  #attempt = 0;
  #timer = 0;
  #heardAt = 0;
  #lastError = null;
  #final = false;

  /** `onFrame(frame)` is called for each frame, `onState(state)` for each change of state. */
  constructor(url, { onFrame, onState }) {
    Object.assign(this, { url, onFrame, onState });
    setInterval(() => this.#watch(), WATCH_EVERY_MS);
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.retryNow());
  }

  open() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#lastError = null;
    this.#heardAt = Date.now();
    this.onState({ name: "connecting" });
    const socket = new WebSocket(this.url, "events.v1");
    socket.onmessage = (message) => socket === this.#socket && this.#take(message.data);
    socket.onclose = (event) => socket === this.#socket && this.#closed(event.code);
    this.#socket = socket;
  }

  /** Connect at once if the next attempt is being waited for. */
  retryNow() {
    if (this.#timer) this.open();
  }

  /** Nothing happens when there is no connection: what matters is sent again on the next. */
  send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #take(text) {
    this.#heardAt = Date.now();
    const frame = decode(text);
    if (frame.op === "error") this.#lastError = frame;
    if (frame.op === "ok") this.#attempt = 0;
    if (frame.op === "hello" && !frame.authenticated) this.#end({ name: "logged_out" });
    else if (frame.op === "hello") this.onState({ name: "open" });
    this.onFrame(frame);
  }

  #closed(code) {
    this.#socket = null;
    if (this.#final) return;
    if (code === 4401) this.#end({ name: "logged_out" });
    else if (code >= 4400 && code < 4500) this.#end({ name: "refused", message: this.#reason(code) });
    else this.#wait();
  }

  #reason(code) {
    return this.#lastError?.message ?? `The server closed the connection (${code}).`;
  }

  #end(state) {
    this.#final = true;
    this.onState(state);
    this.#socket?.close();
  }

  #wait() {
    const pause = pauseMs(this.#attempt);
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.open(), pause);
    this.onState({ name: "waiting", until: Date.now() + pause });
  }

  #watch() {
    if (!this.#socket || Date.now() - this.#heardAt < SILENCE_MS) return;
    this.#socket.close();
    this.#closed(1006); // a dead peer answers no closing handshake, which would be waited for
  }
}
