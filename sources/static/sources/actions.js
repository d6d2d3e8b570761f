/** Buttons that ask the API for something, wherever on the page they stand or come to stand. */

import { call } from "../data_handler/api.js";
import { refresh, stop } from "./refresh.js";

const problem = document.querySelector("[data-problem]");

function complain(message) {
  problem.textContent = message;
  problem.hidden = message === "";
}

async function act(button) {
  button.disabled = true;
  complain("");
  try {
    const made = button.dataset.post
      ? await call("POST", button.dataset.post)
      : await call("PATCH", button.dataset.patch, button.dataset.body);
    if (button.dataset.followRun) location.assign(button.dataset.followRun.replace(/[^/]+\/$/, `${made.id}/`));
  } catch (error) {
    complain(error.message);
  }
  button.disabled = false;
  await refresh();
}

async function submit(form, sender) {
  const alert = form.querySelector("[role=alert]");
  alert.hidden = true;
  sender.disabled = true;
  try {
    if (form.dataset.delete) {
      stop();
      await call("DELETE", form.dataset.delete);
      location.assign(form.dataset.next);
    } else {
      await call("POST", form.dataset.submit, JSON.stringify(asked(form)));
      form.closest("dialog").close();
      await refresh();
    }
  } catch (error) {
    alert.textContent = error.message;
    alert.hidden = false;
    if (form.dataset.delete) refresh();
  }
  sender.disabled = false;
}

/** Times are UTC, as the form says. */
function asked(form) {
  const fields = [...new FormData(form)].map(([name, value]) => {
    if (form.elements[name].type === "datetime-local") return [name, `${value}Z`];
    return [name, name.endsWith("_seconds") ? Number(value) : value];
  });
  return Object.fromEntries(fields);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-post], [data-patch], [data-opens], [data-close]");
  if (!button) return;
  if (button.dataset.opens) document.getElementById(button.dataset.opens).showModal();
  else if ("close" in button.dataset) button.closest("dialog").close();
  else act(button);
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-submit], [data-delete]")) return;
  event.preventDefault();
  submit(event.target, event.submitter);
});
