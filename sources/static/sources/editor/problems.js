/** What is wrong with the definition: at the field, and in a list that leads to the place in the JSON. */

import { FIELDS } from "./fields.js";
import { lineOf, placeOf, places } from "./places.js";

/** @typedef {{pointer: string, message: string}} Problem */

export class Problems {
  constructor(form, area) {
    Object.assign(this, { form, area });
    this.list = form.querySelector("[data-problems]");
    this.count = form.querySelector("[data-problems-count]");
  }

  /** @param {Problem[]} problems */
  show(problems) {
    const found = places(this.area.value);
    this.list.replaceChildren(...problems.map((problem) => this.#line(problem, placeOf(found, problem.pointer))));
    this.count.textContent = problems.length ? `${problems.length} problem${problems.length === 1 ? "" : "s"}:` : "Nothing is wrong with it.";
    say(this.area, null, problems.length ? "invalid" : "");
    const controls = [...this.form.querySelectorAll("[data-field]")];
    const byControl = Map.groupBy(problems, (problem) => closest(controls, problem.pointer));
    for (const control of controls) this.#mark(control, byControl.get(control) ?? []);
  }

  /** The text is no JSON. */
  showSyntax(error) {
    this.list.replaceChildren();
    this.count.textContent = `No JSON: ${error.message}`;
    this.area.setAttribute("aria-invalid", "true");
  }

  #line(problem, [start, end]) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.textContent = `line ${lineOf(this.area.value, start)} ${problem.pointer || "/"}`;
    button.addEventListener("click", () => this.#lead(start, end));
    const line = document.createElement("li");
    line.append(button, ` ${problem.message}`);
    return line;
  }

  #lead(start, end) {
    this.area.focus();
    this.area.setSelectionRange(start, end);
    const height = this.area.scrollHeight / this.area.value.split("\n").length;
    this.area.scrollTop = Math.max(0, (lineOf(this.area.value, start) - 4) * height);
  }

  #mark(control, problems) {
    const said = document.getElementById(`${control.dataset.field}-problem`);
    const message = problems.length && control.value === "" ? "It is missing." : problems[0]?.message;
    say(control, said, message ?? "");
  }
}

/** Of the controls that are offered the one whose place is nearest. */
function closest(controls, wanted) {
  let [best, length] = [null, 0];
  for (const control of controls) {
    const path = `/${FIELDS[control.dataset.field].path.join("/")}`;
    const matches = wanted === path || wanted.startsWith(`${path}/`);
    if (matches && path.length > length && !control.closest("[hidden]")) [best, length] = [control, path.length];
  }
  return best;
}

export function say(control, place, message) {
  if (message) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
  if (!place) return;
  place.textContent = message;
  place.hidden = message === "";
}
