/** Keys that do something wherever the focus is, except while typing or in a dialog. */

/** `actions` by key, as `event.key` names it. */
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key !== "Escape" && isTaken(event.target, event.key)) return;
    event.preventDefault();
    action(event);
  });
}

function isTaken(target, key) {
  if (target.closest("input, select, textarea, [contenteditable]")) return true;
  return key === " " && target.closest("button, a, summary") !== null;
}
