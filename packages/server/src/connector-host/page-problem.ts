import { alertLimits } from "@quiesce/core";
import { type AlertPage, cursorProblem, type KeyHash, type KeyPage, type Page } from "@quiesce/sdk";

/** A page of a connector that does not page must still end somewhere. */
const MAX_RECORDS_OF_PAGE = 100_000;
const MAX_KEYS_OF_PAGE = 1_000_000;

/** What is wrong with a page as a whole, or undefined. Records are judged one by one, later: one bad record never stops a page. */
export function pageProblem(page: Page): string | undefined {
  return shapeProblem(page, page?.records, "records", MAX_RECORDS_OF_PAGE);
}

/** The same for a page of keys; here every key counts, because a missing one would be a deletion. */
export function keyPageProblem(page: KeyPage): string | undefined {
  const problem = shapeProblem(page, page?.keys, "keys", MAX_KEYS_OF_PAGE);
  if (problem !== undefined) return problem;
  const bad = page.keys.findIndex((key) => typeof key !== "string" || key === "");
  return bad < 0 ? undefined : `keys[${bad}] of the page is not a text, or empty`;
}

/** The same for a page of alerts; the alerts are looked at where they are taken. A monitor that can only be asked for all has no cursor. */
export function alertPageProblem(page: AlertPage): string | undefined {
  return shapeProblem(page === null ? page : { ...page, cursor: page?.cursor ?? {} }, page?.alerts, "alerts", alertLimits.alerts);
}

/** What is wrong with a number of records, or undefined. */
export function countProblem(count: number): string | undefined {
  return Number.isSafeInteger(count) && count >= 0 ? undefined : `a count is a whole number from 0, found ${String(count)}`;
}

/** The same for keys with their hashes; whoever compares them sees to their order. */
export function keyHashesProblem(page: readonly KeyHash[], limit: number): string | undefined {
  if (!Array.isArray(page)) return `keys with hashes are a list, found ${typeof page}`;
  if (page.length > limit) return `${limit} keys were asked for, found ${page.length}`;
  const bad = page.findIndex((one: KeyHash | null) => typeof one?.key !== "string" || one.key === "" || typeof one.hash !== "string");
  return bad < 0 ? undefined : `[${bad}] of the keys is not { key, hash }, two texts, the key not empty`;
}

/** The same for digests. */
export function digestsProblem(digests: readonly string[]): string | undefined {
  return Array.isArray(digests) && digests.every((one) => typeof one === "string") ? undefined : "digests are a list of texts";
}

function shapeProblem(page: Pick<Page, "cursor" | "more">, list: unknown, name: string, max: number): string | undefined {
  if (typeof page !== "object" || page === null) return `a page is an object, found ${String(page)}`;
  if (!Array.isArray(list)) return `${name} of a page is a list, found ${typeof list}`;
  if (list.length > max) return `a page has at most ${max} ${name}, found ${list.length}`;
  if (typeof page.more !== "boolean") return `more of a page is true or false, found ${typeof page.more}`;
  return cursorProblem(page.cursor);
}
