/** Marks where a text occurs in another. */

/** The text in pieces for the document; `needle` in lower case and not empty. */
export function marked(text, needle) {
  const pieces = [];
  const lower = text.toLowerCase();
  let from = 0;
  // A few letters change their length in lower case; places would be wrong then.
  for (let at = lower.length === text.length ? lower.indexOf(needle) : -1; at >= 0; at = lower.indexOf(needle, from)) {
    pieces.push(text.slice(from, at), mark(text.slice(at, at + needle.length)));
    from = at + needle.length;
  }
  pieces.push(text.slice(from));
  return pieces;
}

function mark(text) {
  const node = document.createElement("mark");
  node.textContent = text;
  return node;
}
