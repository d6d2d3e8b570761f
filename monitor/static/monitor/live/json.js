/**
 * JSON as text: no digit of a number is lost, and nothing is parsed before somebody looks at it.
 * All functions take valid JSON and raise SyntaxError where they notice that it is not.
 */

const [QUOTE, COMMA, OPEN_LIST, BACKSLASH, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [34, 44, 91, 92, 93, 123, 125];

/** The members of an object, by name, each as text; of members with the same name the last counts. */
export function members(text) {
  const found = new Map();
  let at = pastSpace(text, opened(text, OPEN_OBJECT));
  while (text.charCodeAt(at) !== CLOSE_OBJECT) {
    const colon = pastSpace(text, endOfString(text, at));
    const start = pastSpace(text, colon + 1);
    const end = endOfValue(text, start);
    found.set(JSON.parse(text.slice(at, colon)), text.slice(start, end));
    at = pastComma(text, end);
  }
  return found;
}

/** The elements of an array, each as text. */
export function elements(text) {
  const found = [];
  let at = pastSpace(text, opened(text, OPEN_LIST));
  while (text.charCodeAt(at) !== CLOSE_LIST) {
    const end = endOfValue(text, at);
    found.push(text.slice(at, end));
    at = pastComma(text, end);
  }
  return found;
}

/** The same value with a line for each member and element. */
export function pretty(text) {
  let [lines, depth, at] = ["", 0, 0];
  const newLine = () => `\n${"  ".repeat(depth)}`;
  while ((at = pastSpace(text, at)) < text.length) {
    const character = text[at];
    if (character === "{" || character === "[") {
      const inside = pastSpace(text, at + 1);
      const empty = isClosing(text.charCodeAt(inside));
      if (!empty) depth += 1;
      lines += empty ? character + text[inside] : character + newLine();
      at = empty ? inside + 1 : inside;
    } else if (isClosing(text.charCodeAt(at))) {
      depth -= 1;
      lines += newLine() + character;
      at += 1;
    } else if (character === "," || character === ":") {
      lines += character === "," ? `,${newLine()}` : ": ";
      at += 1;
    } else {
      const end = endOfValue(text, at);
      lines += text.slice(at, end);
      at = end;
    }
  }
  return lines;
}

function endOfValue(text, start) {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return endOfString(text, start);
  if (first === OPEN_OBJECT || first === OPEN_LIST) return endOfNested(text, start);
  let at = start;
  while (at < text.length && !isSpace(text.charCodeAt(at)) && !isClosing(text.charCodeAt(at)) && text.charCodeAt(at) !== COMMA) at += 1;
  if (at === start) throw new SyntaxError(`A value is missing at character ${start}.`);
  return at;
}

function endOfNested(text, start) {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at) - 1;
    else if (code === OPEN_OBJECT || code === OPEN_LIST) depth += 1;
    else if (isClosing(code) && --depth === 0) return at + 1;
  }
  throw new SyntaxError(`What begins at character ${start} does not end.`);
}

function endOfString(text, start) {
  if (text.charCodeAt(start) !== QUOTE) throw new SyntaxError(`A string is missing at character ${start}.`);
  for (let at = text.indexOf('"', start + 1); at > 0; at = text.indexOf('"', at + 1)) {
    let before = at;
    while (text.charCodeAt(before - 1) === BACKSLASH) before -= 1;
    if ((at - before) % 2 === 0) return at + 1;
  }
  throw new SyntaxError(`The string at character ${start} does not end.`);
}

function opened(text, bracket) {
  const start = pastSpace(text, 0);
  if (text.charCodeAt(start) !== bracket) throw new SyntaxError(`${String.fromCharCode(bracket)} is missing.`);
  return start + 1;
}

function pastComma(text, at) {
  const after = pastSpace(text, at);
  return text.charCodeAt(after) === COMMA ? pastSpace(text, after + 1) : after;
}

function pastSpace(text, at) {
  let after = at;
  while (isSpace(text.charCodeAt(after))) after += 1;
  return after;
}

const isSpace = (code) => code === 32 || code === 10 || code === 13 || code === 9;
const isClosing = (code) => code === CLOSE_OBJECT || code === CLOSE_LIST;
