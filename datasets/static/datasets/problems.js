/** What the API says is wrong, at the fields that it is wrong with. */

/** @returns {{path: string, message: string}[]} such as `definition.window.last`, from the `fields` of an ApiError */
function problemsOf(fields) {
  return Object.entries(fields).flatMap(([name, said]) => [said].flat().map((one) => ({
    path: `${name}${(one?.pointer ?? "").replaceAll("/", ".")}`,
    message: one?.message ?? String(one),
  })));
}

/** What belongs to no field goes to the form's alert, or to that of the page. */
export function show(form, error) {
  clear(form);
  const rest = problemsOf(error.fields ?? {}).filter((problem) => !say(form, problem));
  const isSaidAll = Object.keys(error.fields ?? {}).length > 0 && rest.length === 0;
  const named = rest.map(({ path, message }) => `${path}: ${message}`).join(" ");
  complain(form, isSaidAll ? "" : named || error.message);
  form.querySelector("[aria-invalid]")?.focus();
}

export function clear(form) {
  for (const place of form.querySelectorAll("[data-problem-of]")) place.hidden = true;
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
  complain(form, "");
}

export function complain(form, message) {
  const alert = form.querySelector("[role=alert]") ?? document.querySelector("[data-problem]");
  alert.textContent = message;
  alert.hidden = message === "";
}

/** Whether there is a place for it: the nearest. */
function say(form, { path, message }) {
  const places = [...form.querySelectorAll("[data-problem-of]")].filter((place) => isWithin(path, place.dataset.problemOf));
  const [nearest] = places.sort((one, other) => other.dataset.problemOf.length - one.dataset.problemOf.length);
  if (!nearest) return false;
  nearest.textContent = nearest.hidden ? message : `${nearest.textContent} ${message}`;
  nearest.hidden = false;
  form.querySelector(`[aria-describedby~="${nearest.id}"]:is(input, select, textarea)`)?.setAttribute("aria-invalid", "true");
  return true;
}

const isWithin = (path, place) => path === place || path.startsWith(`${place}.`);
