/** The events of the tail as files. */

const COLUMNS = ["id", "stream", "type", "key", "time", "received_at", "payload"];

/** A line of JSON for each event, as it came. */
export const ndjson = (rows) => rows.map((row) => `${row.text}\n`).join("");

/** CSV with a header; a text that a spreadsheet would take for a formula begins with an apostrophe. */
export function csv(rows) {
  const lines = rows.map((row) => {
    const texts = row.members;
    return COLUMNS.map((name) => cell(plain(name, texts.get(name) ?? "null"))).join(",");
  });
  return [COLUMNS.join(","), ...lines, ""].join("\r\n");
}

/** Let the browser save a text as a file. */
export function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const plain = (name, json) => (name === "payload" ? json : (JSON.parse(json) ?? ""));

function cell(text) {
  const harmless = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
