import { cursorProblem, type KeyPage, type Page } from "@quiesce/sdk";

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

function shapeProblem(page: Page | KeyPage, list: unknown, name: string, max: number): string | undefined {
  if (typeof page !== "object" || page === null) return `a page is an object, found ${String(page)}`;
  if (!Array.isArray(list)) return `${name} of a page is a list, found ${typeof list}`;
  if (list.length > max) return `a page has at most ${max} ${name}, found ${list.length}`;
  if (typeof page.more !== "boolean") return `more of a page is true or false, found ${typeof page.more}`;
  return cursorProblem(page.cursor);
}
