/** Calls of this service's API from its own pages. */

export class ApiError extends Error {
  /** @param {number} status @param {any} body the API's error object, or null */
  constructor(status, body) {
    super(describe(status, body));
    this.status = status;
    this.fields = body?.fields ?? {};
  }
}

function describe(status, body) {
  if (status === 0) return "The service does not answer. Is it running? Then try again.";
  if (!body?.detail) return `The service answered with status ${status}.`;
  const fields = Object.entries(body.fields ?? {}).map(([name, errors]) => `${name}: ${[errors].flat().join(" ")}`);
  return [body.detail, ...fields].join(" ");
}

/**
 * @param {string} method
 * @param {string} path
 * @param {string} [body] JSON text, sent as it is
 * @param {(text: string) => any} [read] takes the answer apart
 * @returns {Promise<any>} the answer, null when it is empty; throws ApiError
 */
export async function call(method, path, body, read = JSON.parse) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  const headers = { Accept: "application/json", "X-CSRFToken": token };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body, credentials: "same-origin" });
  } catch {
    throw new ApiError(0, null);
  }
  const text = await answer.text();
  const value = parse(text, read);
  if (!answer.ok) throw new ApiError(answer.status, value);
  return value;
}

function parse(text, read) {
  try {
    return read(text);
  } catch {
    return null;
  }
}
