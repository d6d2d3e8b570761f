/** The definition as a value. Numbers keep all their digits where the browser can do it. */

const ORDER = ["version", "extract", "decode", "normalize", "map", "filter", "dedupe", "load", "schedule", "limits"];
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON?.(value);

/** A number that JavaScript would change is kept as it is written. Throws SyntaxError. */
export function parse(text) {
  return JSON.parse(text, (_, value, context) => {
    const changes = typeof value === "number" && context?.source !== undefined && String(value) !== context.source;
    return changes && JSON.rawJSON ? JSON.rawJSON(context.source) : value;
  });
}

export const write = (value, indent) => JSON.stringify(value, null, indent);

/** Undefined where there is nothing. */
export const get = (value, path) => path.reduce((at, name) => (isObject(at) ? at[name] : undefined), value);

/** Undefined removes, and with it an object that becomes empty. */
export function set(root, path, value) {
  const [name, ...rest] = path;
  if (rest.length) {
    const inside = isObject(root[name]) ? root[name] : {};
    set(inside, rest, value);
    put(root, name, value === undefined && Object.keys(inside).length === 0 ? undefined : inside);
  } else put(root, name, value);
}

function put(object, name, value) {
  if (value === undefined) delete object[name];
  else object[name] = value;
}

/** Whether the form can show it: its parts are objects where there are any. */
export const isReadable = (value) =>
  isObject(value) && isObject(value.extract) && isObject(value.load) && ["decode", "schedule"].every((name) => value[name] === undefined || value[name] === null || isObject(value[name]));

/** With its parts in the usual order, those that are not known at the end. */
export function ordered(value) {
  const known = ORDER.filter((name) => name in value);
  const others = Object.keys(value).filter((name) => !known.includes(name));
  return Object.fromEntries([...known, ...others].map((name) => [name, value[name]]));
}
