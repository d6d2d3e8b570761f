/** JSON text laid out for reading. It is never parsed: 12345678901234567890 and 1.10 stay as they were sent. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s"[\]{}:,]+/g;
const MOST_DEPTH = 64;

/** @param {string} text @returns {string} text that is no JSON comes back as it is */
export function indent(text) {
  if (!isJson(text)) return text;
  let depth = 0;
  let out = "";
  let last = "";
  for (const [token] of text.matchAll(TOKEN)) {
    const closes = token === "}" || token === "]";
    const opened = last === "{" || last === "[";
    if (closes) depth -= 1;
    if ((opened && !closes) || last === "," || (closes && !opened)) out += `\n${"  ".repeat(Math.min(depth, MOST_DEPTH))}`;
    out += token === ":" ? ": " : token;
    if (token === "{" || token === "[") depth += 1;
    last = token;
  }
  return out;
}

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
