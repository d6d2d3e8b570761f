/** How the connection is, in a few words; read out by screen readers when it changes. */

import { count } from "./format.js";

const EVERY_MS = 500;

export class Status {
  #state = { name: "connecting" };
  #paused = false;
  #timer = 0;

  /** `onRetry()` when the user does not want to wait for the next attempt. */
  constructor(onRetry) {
    this.label = document.getElementById("state");
    this.detail = document.getElementById("state-detail");
    this.retry = document.getElementById("retry-now");
    this.login = document.getElementById("log-in");
    this.retry.addEventListener("click", onRetry);
  }

  show(state) {
    this.#state = state;
    this.#render();
  }

  pause(paused) {
    this.#paused = paused;
    this.#render();
  }

  #render() {
    const { name } = this.#state;
    const following = name === "live" || name === "catching_up";
    const shown = following && this.#paused ? "paused" : name;
    if (this.label.dataset.state !== shown) this.label.textContent = NAMES[shown];
    this.label.dataset.state = shown;
    this.retry.hidden = name !== "waiting";
    this.login.hidden = name !== "logged_out";
    this.login.search = `?next=${encodeURIComponent(location.pathname + location.search)}`;
    this.#renderDetail();
    clearInterval(this.#timer);
    if (name === "waiting") this.#timer = setInterval(() => this.#renderDetail(), EVERY_MS);
  }

  #renderDetail() {
    const { name, behind, until, message } = this.#state;
    const texts = {
      catching_up: () => (behind ? `${count(behind)} events to go` : "too fast for this browser"),
      waiting: () => `trying again in ${Math.max(0, Math.ceil((until - Date.now()) / 1000))} s`,
      refused: () => message,
      logged_out: () => "your session has ended",
    };
    this.detail.textContent = texts[name]?.() ?? "";
  }
}

const NAMES = {
  connecting: "Connecting",
  open: "Connecting",
  live: "Live",
  catching_up: "Catching up",
  paused: "Paused",
  waiting: "Disconnected",
  logged_out: "Logged out",
  refused: "Refused",
};
