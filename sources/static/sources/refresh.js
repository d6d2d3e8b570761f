/**
 * Parts of the page with `data-fresh` follow the server: the page is asked for again every `data-every` seconds, 0 for
 * no more. `refreshed` on the document says that it was.
 */

import { morph } from "./morph.js";

const MOST_SECONDS = 30;
let timer = 0;
let failures = 0;
let asked = 0;

const everySeconds = () => Number(document.querySelector("[data-every]")?.dataset.every ?? 0);

export async function refresh() {
  clearTimeout(timer);
  const mine = (asked += 1);
  try {
    const answer = await fetch(location.href, { credentials: "same-origin", headers: { Accept: "text/html" } });
    if (mine !== asked) return;
    if (answer.redirected || answer.status === 404) return location.reload();
    if (!answer.ok) throw new TypeError(`The service answered with status ${answer.status}.`);
    const text = await answer.text();
    if (mine !== asked) return;
    take(new DOMParser().parseFromString(text, "text/html"));
    failures = 0;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    failures += 1;
  }
  document.body.classList.toggle("out-of-date", failures > 1);
  if (mine === asked) plan();
}

/** Whoever is about to leave the page wants it neither asked for nor loaded again. */
export function stop() {
  clearTimeout(timer);
  asked += 1;
}

function take(fresh) {
  for (const part of document.querySelectorAll("[data-fresh]")) {
    const other = fresh.querySelector(`[data-fresh="${part.dataset.fresh}"]`);
    if (other) followingEnd(part, () => morph(part, other));
  }
  document.dispatchEvent(new Event("refreshed"));
}

/** Who reads the end of a log goes on reading it there. */
function followingEnd(part, change) {
  const list = part.querySelector("[data-follow-end]");
  const follows = list && list.scrollTop + list.clientHeight > list.scrollHeight - 8;
  change();
  if (follows) list.scrollTop = list.scrollHeight;
}

function plan() {
  const seconds = everySeconds();
  if (seconds) timer = setTimeout(refreshIfSeen, Math.min(seconds * 2 ** failures, MOST_SECONDS) * 1000);
}

function refreshIfSeen() {
  if (!document.hidden) refresh();
}

export function follow() {
  document.addEventListener("visibilitychange", () => everySeconds() && refreshIfSeen());
  plan();
}
