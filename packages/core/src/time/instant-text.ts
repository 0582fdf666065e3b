/**
 * The epoch milliseconds of an ISO 8601 instant whose form was looked at already; NaN where it is none. Date.parse takes a day that its month does not have
 * for one of the next: the 30th of February would be the 2nd of March, and nobody would be told.
 */
export function parseInstantText(text: string): number {
  const day = Number(text.slice(8, 10));
  if (day > 28 && day > new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate()) return Number.NaN;
  return Date.parse(text);
}
