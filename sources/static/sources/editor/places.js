/** Where in a JSON text the values stand. */

const SPACE = /\s*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const PLAIN = /[^\s,\]}]+/y;

/**
 * Start and end by JSON Pointer (RFC 6901), of what could be read.
 *
 * @param {string} text
 * @returns {Map<string, [number, number]>}
 */
export function places(text) {
  const found = new Map();
  let at = 0;
  const take = (pattern) => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match?.[0];
  };
  const value = (pointer) => {
    take(SPACE);
    const start = at;
    const isRead = text[at] === "{" ? inside(pointer, "}", true) : text[at] === "[" ? inside(pointer, "]", false) : take(text[at] === '"' ? STRING : PLAIN);
    found.set(pointer, [start, at]);
    return Boolean(isRead);
  };
  const inside = (pointer, end, named) => {
    at += 1;
    for (let number = 0; ; number += 1) {
      take(SPACE);
      if (text[at] === end) return (at += 1);
      const name = named ? take(STRING) : String(number);
      if (name === undefined) return 0;
      if (named && !colon()) return 0;
      if (!value(`${pointer}/${named ? escaped(name) : name}`)) return 0;
      take(SPACE);
      if (text[at] === ",") at += 1;
      else if (text[at] !== end) return 0;
    }
  };
  const colon = () => {
    take(SPACE);
    return text[at] === ":" && (at += 1);
  };
  value("");
  return found;
}

/** The place of a pointer, or of the nearest that is there around it. */
export function placeOf(found, pointer) {
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf("/"))) {
    if (found.has(at)) return found.get(at);
    if (at === "") return [0, 0];
  }
}

export const lineOf = (text, offset) => text.slice(0, offset).split("\n").length;

function escaped(quoted) {
  try {
    return JSON.parse(quoted).replaceAll("~", "~0").replaceAll("/", "~1");
  } catch {
    return quoted;
  }
}
