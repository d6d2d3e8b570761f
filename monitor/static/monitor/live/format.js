/** Numbers, sizes and times as people read them. */

export const UNKNOWN = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat("en", { maximumFractionDigits: 1, minimumFractionDigits: 1 });

export const count = (number) => (number === null || number === undefined ? UNKNOWN : whole.format(number));

/** Events per second: one digit after the point while they are few. */
export function rate(perSecond) {
  if (perSecond === null || perSecond === undefined) return UNKNOWN;
  return perSecond > 0 && perSecond < 100 ? oneDigit.format(perSecond) : whole.format(perSecond);
}

export function bytes(number) {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let [size, unit] = [number, 0];
  while (size >= 1024 && unit < units.length - 1) [size, unit] = [size / 1024, unit + 1];
  return `${unit === 0 ? whole.format(size) : oneDigit.format(size)} ${units[unit]}`;
}

/** An age in seconds, shortest sensible. */
export function age(seconds) {
  if (seconds < 60) return `${oneDigit.format(seconds)} s`;
  return seconds < 3600 ? `${whole.format(seconds / 60)} min` : `${oneDigit.format(seconds / 3600)} h`;
}

const two = (number) => String(number).padStart(2, "0");

/** The local time of day with milliseconds. */
export function timeOfDay(date) {
  const milliseconds = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}

/** The local time of day of Unix seconds; seconds only where there are any. */
export function clock(unixSeconds) {
  const date = new Date(unixSeconds * 1000);
  const seconds = date.getSeconds() ? `:${two(date.getSeconds())}` : "";
  return `${two(date.getHours())}:${two(date.getMinutes())}${seconds}`;
}

export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
