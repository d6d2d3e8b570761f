/** What a preview suggests, as buttons that write it into the definition. */

import { get, set } from "./document.js";

/** Pairs of what a button says and what it writes. */
export function suggestionsOf(given, root) {
  const { paths = [], explode = [], flatten = false, keys = [], map = [] } = given ?? {};
  const exploded = get(root, ["normalize", "explode"]) ?? [];
  const key = get(root, ["load", "key"]) ?? [];
  return [
    ...paths.map((path) => [`Rows are at ${path}`, (into) => set(into, ["decode", "path"], path)]),
    ...(flatten ? [["Members of members as columns", (into) => flat(into)]] : []),
    ...explode.map((name) => [`A row for each of ${name}`, (into) => set(into, ["normalize", "explode"], [...exploded, name])]),
    ...keys.filter((name) => key.length !== 1 || key[0] !== name).map((name) => [`Key: ${name}`, (into) => set(into, ["load", "key"], [name])]),
    ...(map.length && paths.length === 0 ? [["Map these columns, with types", (into) => mapped(into, map)]] : []),
  ];
}

function flat(root) {
  if (root.normalize && typeof root.normalize === "object") delete root.normalize.flatten;
  else root.normalize = {};
}

/** A key that is renamed stays the key. */
function mapped(root, map) {
  root.map = map;
  const renamed = new Map(map.map(({ to, from }) => [from.startsWith('"') ? JSON.parse(from) : from, to]));
  const key = get(root, ["load", "key"]) ?? [];
  if (Array.isArray(key)) set(root, ["load", "key"], key.map((name) => renamed.get(name) ?? name));
}

/** A toolbar; `act` is given what the button that was pressed writes. */
export function toolbar(suggestions, act) {
  const bar = document.createElement("div");
  bar.className = "row suggestions";
  bar.setAttribute("role", "toolbar");
  bar.ariaLabel = "Suggestions";
  bar.append(
    ...suggestions.map(([says, writes]) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "small secondary outline", textContent: says });
      button.addEventListener("click", () => act(writes));
      return button;
    }),
  );
  return bar;
}
