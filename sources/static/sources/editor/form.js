/** The form beside the JSON: shows what the definition says, and tells of what is changed in it. */

import { isReadable } from "./document.js";
import { FIELDS, secretNames } from "./fields.js";

const RESPONSIVE = ["kind", "auth", "pages", "format", "load", "keep", "schedule"];

export class Form {
  /** `known`: names of secrets that are kept already. `change(write)` is called with what changes the definition. */
  constructor(element, known, change) {
    Object.assign(this, { element, known: new Set(known) });
    this.controls = [...element.querySelectorAll("[data-field]")];
    this.typed = new Map();
    element.addEventListener("input", ({ target }) => this.#changed(target, change));
  }

  #changed(control, change) {
    const field = FIELDS[control.dataset.field];
    if (control.dataset.secret) this.typed.set(control.dataset.secret, control.value);
    else if (field) change((root) => field.write(root, control.type === "checkbox" ? control.checked : control.value));
  }

  /** `root` is undefined when the text is no JSON. The control that is being typed in stays as it is. */
  show(root) {
    const readable = root !== undefined && isReadable(root);
    const notice = this.element.querySelector("[data-no-form]");
    notice.hidden = readable;
    notice.textContent = root === undefined ? "The JSON cannot be read; the form waits." : "The form cannot show this JSON; edit the JSON itself.";
    for (const control of this.controls) {
      const value = readable ? FIELDS[control.dataset.field].read(root) : undefined;
      control.disabled = value === undefined || !this.#fill(control, value);
    }
    if (!readable) return;
    for (const name of RESPONSIVE) this.#offer(name, FIELDS[name].read(root));
    this.#askSecrets(secretNames(root));
  }

  /** Whether the control can show the value. */
  #fill(control, value) {
    if (control.type === "checkbox") control.checked = value;
    else if (control !== document.activeElement || control.tagName === "SELECT") control.value = value;
    return control.tagName !== "SELECT" || control.value === value;
  }

  /** Only what goes with the choice. */
  #offer(name, value) {
    for (const part of this.element.querySelectorAll(`[data-for-${name}]`)) {
      part.hidden = !part.getAttribute(`data-for-${name}`).split(" ").includes(value);
    }
  }

  #askSecrets(names) {
    const place = this.element.querySelector("[data-secrets]");
    place.hidden = names.length === 0;
    if (place.dataset.names === names.join("\n")) return;
    place.dataset.names = names.join("\n");
    place.replaceChildren(...names.flatMap((name, number) => this.#asked(name, `secret-${number}`)));
  }

  #asked(name, id) {
    const label = made("label", { htmlFor: id, textContent: `Secret “${name}”` });
    const input = made("input", { id, type: "password", autocomplete: "new-password", value: this.typed.get(name) ?? "" });
    input.dataset.secret = name;
    input.setAttribute("aria-describedby", `${id}-help`);
    const kept = this.known.has(name);
    input.placeholder = kept ? "kept as it is" : "";
    const help = made("small", { id: `${id}-help` });
    help.textContent = kept
      ? "It is set and nobody can read it. Type to replace it. When the host changes it is forgotten."
      : "It is kept encrypted, for this host alone; nobody can read it back.";
    return [label, input, help];
  }

  /** Those typed that the definition asks for. */
  secrets(root) {
    const named = secretNames(root).filter((name) => this.typed.get(name));
    return Object.fromEntries(named.map((name) => [name, this.typed.get(name)]));
  }
}

const made = (tag, properties) => Object.assign(document.createElement(tag), properties);
