/** Making one piece of a page like another, keeping the elements that stay: their focus, scrolling and selection. */

/** Children with `data-key` are the same where the keys are; what the reader opened stays open. */
export function morph(shown, fresh) {
  if (shown.isEqualNode(fresh)) return;
  copyAttributes(shown, fresh);
  const keyed = dropGone(shown, fresh);
  let cursor = shown.firstChild;
  for (const next of [...fresh.childNodes]) {
    const match = next.dataset?.key ? keyed.get(next.dataset.key) : alike(cursor, next) ? cursor : null;
    if (!match) {
      shown.insertBefore(document.importNode(next, true), cursor);
      continue;
    }
    if (match === cursor) cursor = cursor.nextSibling;
    else shown.insertBefore(match, cursor);
    if (match.nodeType === Node.ELEMENT_NODE) morph(match, next);
    else if (match.data !== next.data) match.data = next.data;
  }
  while (cursor) {
    const after = cursor.nextSibling;
    cursor.remove();
    cursor = after;
  }
}

const alike = (one, other) => one !== null && one.nodeName === other.nodeName && !one.dataset?.key;

function dropGone(shown, fresh) {
  const staying = new Set([...fresh.children].map((child) => child.dataset.key));
  const keyed = new Map();
  for (const child of [...shown.children]) {
    const { key } = child.dataset;
    if (key && !staying.has(key)) child.remove();
    else if (key) keyed.set(key, child);
  }
  return keyed;
}

function copyAttributes(shown, fresh) {
  const isOfReader = (name) => name === "open" && shown.nodeName === "DETAILS";
  for (const { name } of [...shown.attributes]) {
    if (!fresh.hasAttribute(name) && !isOfReader(name)) shown.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (shown.getAttribute(name) !== value && !isOfReader(name)) shown.setAttribute(name, value);
  }
}
