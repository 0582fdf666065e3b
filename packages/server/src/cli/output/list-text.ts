/** Rows of one list for people; --json has them all. */
export const MOST_ROWS = 30;

/** `2026-12-06T02:00` as a table shows it. */
export function localText(local: string): string {
  return local.replace("T", " ");
}

/** `1 run`, `2 runs`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
