/** The form's fields: where in the definition each stands, how it is read, and what a change writes. */

import { get, set } from "./document.js";

const UNITS = { s: 1, m: 60, h: 3600, d: 86400 };

/** Undefined for what is not like that: the form does not offer to change it. */
const asText = (value) => (value === undefined || value === null ? "" : typeof value === "string" ? value : undefined);

const text = (...path) => ({
  path,
  read: (root) => asText(get(root, path)),
  write: (root, value) => set(root, path, value),
});

/** Left out when it is empty. */
const optional = (...path) => ({ ...text(...path), write: (root, value) => set(root, path, value === "" ? undefined : value) });

function readKey(root) {
  const key = get(root, ["load", "key"]) ?? [];
  const plain = Array.isArray(key) && key.every((name) => typeof name === "string" && name === name.trim() && !name.includes(",") && name);
  return plain ? key.join(", ") : undefined;
}

function writeKey(root, value) {
  const names = value.split(",").map((name) => name.trim()).filter(Boolean);
  const isNeeded = get(root, ["load", "kind"]) !== "append";
  set(root, ["load", "key"], names.length || isNeeded ? names : undefined);
}

function readEvery(root) {
  const seconds = get(root, ["schedule", "every_seconds"]);
  if (seconds === undefined || seconds === null) return "";
  if (isNaN(Number(seconds)) || typeof seconds === "string") return typeof seconds === "string" ? seconds : undefined;
  const [unit, size] = Object.entries(UNITS).findLast(([, size]) => seconds % size === 0 && seconds > 0) ?? ["s", 1];
  return `${seconds / size}${unit}`;
}

/** What is no duration is written as it is, for the check to complain of. */
function writeEvery(root, value) {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*$/.exec(value);
  set(root, ["schedule", "every_seconds"], match ? Number(match[1]) * UNITS[match[2] || "s"] : value);
}

const scheduleOf = (root) => {
  const schedule = get(root, ["schedule"]) ?? {};
  if (schedule.cron !== undefined && schedule.cron !== "") return "cron";
  if ("cron" in schedule && schedule.every_seconds === undefined) return "cron";
  return "every_seconds" in schedule ? "every" : "none";
};

const authOf = (root) => asText(get(root, ["extract", "auth", "kind"]) ?? "none");

/** What is chosen among kinds; going back to one brings back what it said. */
function choice(path, read, fresh) {
  const left = new Map();
  return {
    path: [...path, "kind"],
    read,
    write(root, value) {
      const before = get(root, path);
      if (before !== undefined) left.set(read(root), before);
      set(root, path, left.has(value) ? left.get(value) : fresh(value, before ?? {}));
    },
  };
}

const freshExtract = {
  http: () => ({ kind: "http", url: "" }),
  sql: () => ({ kind: "sql", url: "" }),
  file: () => ({ kind: "file", upload: "" }),
};
const freshAuth = {
  none: () => undefined,
  bearer: () => ({ kind: "bearer", secret: "token" }),
  basic: () => ({ kind: "basic", user: "", secret: "password" }),
  api_key: () => ({ kind: "api_key", name: "", secret: "key" }),
  oauth2: () => ({ kind: "oauth2", token_url: "", client_id: "", secret: "client_secret" }),
};
const freshSchedule = {
  none: () => undefined,
  every: ({ time_zone }) => ({ every_seconds: 1800, ...(time_zone && { time_zone }) }),
  cron: ({ time_zone }) => ({ cron: "", ...(time_zone && { time_zone }) }),
};

function freshLoad(kind, { key = [], ...before }) {
  if (kind === "append") return { kind, stream: "", ...(key.length && { key }) };
  const times = Object.fromEntries(["starts_at", "ends_at"].filter((name) => name in before).map((name) => [name, before[name]]));
  return { kind, key, ...times };
}

const freshPages = {
  none: () => undefined,
  page: () => ({ kind: "page", parameter: "page" }),
  offset: () => ({ kind: "offset", parameter: "offset", limit_parameter: "limit", limit: 100 }),
  cursor: () => ({ kind: "cursor", path: "", parameter: "cursor" }),
  link_header: () => ({ kind: "link_header" }),
  next_url: () => ({ kind: "next_url", path: "" }),
};

/** Which rows are kept: all, those that one condition lets pass, or what only the JSON can say. */
function keepOf(root) {
  const filter = get(root, ["filter"]);
  if (filter === undefined || filter === null) return "all";
  const single = typeof filter.field === "string" && COMPARISONS.includes(filter.op);
  return single ? filter.op : undefined;
}

const COMPARISONS = ["eq", "ne", "gte", "lte", "contains", "matches", "exists"];

function writeKeep(root, value) {
  const { field = "", value: compared = "" } = get(root, ["filter"]) ?? {};
  const condition = value === "exists" ? { field, op: value } : { field, op: value, value: compared };
  set(root, ["filter"], value === "all" ? undefined : condition);
}

function readCompared(root) {
  const value = get(root, ["filter", "value"]);
  if (value === undefined || value === null) return "";
  return ["string", "number", "boolean"].includes(typeof value) ? String(value) : undefined;
}

/** A number or a truth where it is written like one, else a text. */
function writeCompared(root, value) {
  const plain = /^(true|false|-?(0|[1-9]\d{0,14})(\.\d+)?)$/.test(value);
  set(root, ["filter", "value"], plain ? JSON.parse(value) : value);
}

const schedule = choice(["schedule"], scheduleOf, (value, before) => freshSchedule[value](before));

/** By the name that `data-field` gives; `path` is where complaints about it stand. */
export const FIELDS = {
  kind: choice(["extract"], (root) => asText(get(root, ["extract", "kind"])), (value) => freshExtract[value]()),
  url: text("extract", "url"),
  sql_url: text("extract", "url"),
  upload: text("extract", "upload"),
  table: optional("extract", "table"),
  query: optional("extract", "query"),
  sql_secret: {
    path: ["extract", "secret"],
    read: (root) => Boolean(get(root, ["extract", "secret"])),
    write: (root, value) => set(root, ["extract", "secret"], value ? "password" : undefined),
  },
  auth: choice(["extract", "auth"], authOf, (value) => freshAuth[value]()),
  auth_user: text("extract", "auth", "user"),
  auth_name: text("extract", "auth", "name"),
  token_url: text("extract", "auth", "token_url"),
  client_id: text("extract", "auth", "client_id"),
  pages: {
    ...choice(["extract", "pagination"], (root) => asText(get(root, ["extract", "pagination", "kind"]) ?? "none"), (value) => freshPages[value]()),
    path: ["extract", "pagination"],
  },
  pages_parameter: text("extract", "pagination", "parameter"),
  pages_path: text("extract", "pagination", "path"),
  sheet: optional("decode", "sheet"),
  keep: { path: ["filter"], read: keepOf, write: writeKeep },
  keep_field: text("filter", "field"),
  keep_value: { path: ["filter", "value"], read: readCompared, write: writeCompared },
  format: {
    path: ["decode", "format"],
    read: (root) => asText(get(root, ["decode", "format"]) ?? "auto"),
    write: (root, value) => set(root, ["decode", "format"], value === "auto" ? undefined : value),
  },
  path: optional("decode", "path"),
  load: choice(["load"], (root) => asText(get(root, ["load", "kind"])), freshLoad),
  stream: text("load", "stream"),
  load_key: { path: ["load", "key"], read: readKey, write: writeKey },
  schedule: { ...schedule, path: ["schedule"] },
  every: { path: ["schedule", "every_seconds"], read: readEvery, write: writeEvery },
  cron: text("schedule", "cron"),
  time_zone: optional("schedule", "time_zone"),
};

/** Names of the secrets that a definition asks for. */
export const secretNames = (root) =>
  [get(root, ["extract", "secret"]), get(root, ["extract", "auth", "secret"])].filter((name) => typeof name === "string" && name);
