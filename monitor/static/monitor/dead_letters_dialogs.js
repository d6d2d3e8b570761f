/** The page's two dialogs, as questions that can be awaited. */

/** @param {HTMLDialogElement} dialog @param {string} question @returns {Promise<boolean>} */
export function confirmDiscard(dialog, question) {
  dialog.querySelector("h2").textContent = question;
  dialog.returnValue = "cancel";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "discard"), { once: true });
  });
}

/**
 * Open until `send` has taken the text, or the user gives up.
 *
 * @param {HTMLDialogElement} dialog
 * @param {string} text
 * @param {(text: string) => Promise<void>} send throws an Error whose message is shown
 */
export function edit(dialog, text, send) {
  const form = dialog.querySelector("form");
  const area = dialog.querySelector("textarea");
  const closed = new AbortController();
  area.value = text;
  complain(dialog, "");
  form.addEventListener(
    "submit",
    async (event) => {
      event.preventDefault();
      event.submitter.disabled = true;
      try {
        await send(area.value);
        dialog.close();
      } catch (error) {
        complain(dialog, error.message);
      }
      event.submitter.disabled = false;
    },
    { signal: closed.signal },
  );
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close(), { signal: closed.signal });
  dialog.addEventListener("close", () => closed.abort(), { once: true });
  dialog.showModal();
}

function complain(dialog, message) {
  const problem = dialog.querySelector("[role=alert]");
  problem.textContent = message;
  problem.hidden = message === "";
  dialog.querySelector("textarea").toggleAttribute("aria-invalid", message !== "");
}
