import { cursorProblem, type Connector, type Context, type Cursor, type SourceRecord } from "../index.js";
import { must, show } from "./conformance-case.js";

const MAX_PAGES = 2_000;

/** What reading gave. */
export interface ReadPart {
  readonly records: readonly SourceRecord[];
  /** As it comes back from a database: only what JSON keeps. */
  readonly cursor: Cursor | null;
  readonly complete: boolean;
  /** Whether its first page let the next one be asked for before it is committed. */
  readonly isAhead: boolean;
}

/** Reads as the engine does, and fails for pages that the engine refuses. `stopAfter` ends the reader after so many pages, as a drain does. */
export async function readPart(
  connector: Connector,
  x: Context,
  request: {
    readonly stream: string;
    readonly cursor?: Cursor | null;
    readonly pageSize: number;
    readonly stopAfter?: number;
    readonly from?: string;
  },
): Promise<ReadPart> {
  const { stopAfter, cursor: start = null, ...rest } = request;
  const records: SourceRecord[] = [];
  let cursor = start;
  let pages = 0;
  let isAhead = false;
  const reader = connector.read?.(x, { ...rest, cursor: start });
  must(reader !== undefined, "The connector has no read.");
  for await (const page of reader) {
    pages += 1;
    if (pages === 1) isAhead = page.ahead === true;
    must(pages <= MAX_PAGES, `read gave ${MAX_PAGES} pages of "${request.stream}", and none said more: false.`);
    must(Array.isArray(page.records) && typeof page.more === "boolean", `A page is { records, cursor, more }, found ${show(page)}.`);
    const problem = cursorProblem(page.cursor);
    must(problem === undefined, `Page ${pages} of "${request.stream}" has a cursor that the engine refuses: ${problem}.`);
    for (const record of page.records)
      must(
        typeof record.key === "string" && record.key !== "",
        `A record of "${request.stream}" has the key ${show(record.key)}, expected a text.`,
      );
    records.push(...page.records);
    cursor = JSON.parse(JSON.stringify(page.cursor)) as Cursor;
    if (!page.more) return { records, cursor, complete: true, isAhead };
    if (pages === stopAfter) return { records, cursor, complete: false, isAhead };
  }
  must(false, `read of "${request.stream}" ended after ${pages} pages, the last of which said more: true.`);
}

/** Reads the whole stream with a new reader after every page, as if the process had been killed there. */
export function readResumed(connector: Connector, x: Context, request: PagesRequest): Promise<readonly SourceRecord[]> {
  return pageByPage(request, (cursor) => readPart(connector, x, { ...request, cursor, stopAfter: 1 }));
}

/**
 * The same where every page that lets the next one be asked for was given together with that one, and the process was killed before either was
 * committed: both have to come again. A stream without such pages is read page by page.
 */
export async function readResumedBehindAhead(connector: Connector, x: Context, request: PagesRequest): Promise<readonly SourceRecord[]> {
  let { isAhead } = await readPart(connector, x, { ...request, stopAfter: 1 });
  return pageByPage(request, async (cursor) => {
    if (isAhead) await readPart(connector, x, { ...request, cursor, stopAfter: 2 });
    const part = await readPart(connector, x, { ...request, cursor, stopAfter: 1 });
    ({ isAhead } = part);
    return part;
  });
}

interface PagesRequest {
  readonly stream: string;
  readonly pageSize: number;
}

async function pageByPage({ stream }: PagesRequest, next: (cursor: Cursor | null) => Promise<ReadPart>): Promise<readonly SourceRecord[]> {
  const records: SourceRecord[] = [];
  let cursor: Cursor | null = null;
  for (let round = 0; round < MAX_PAGES; round += 1) {
    const part = await next(cursor);
    records.push(...part.records);
    ({ cursor } = part);
    if (part.complete) return records;
  }
  must(false, `Reading "${stream}" with a new reader for each page did not end after ${MAX_PAGES} pages: the cursor does not move.`);
}

/** All keys of a listing. */
export async function listedKeys(connector: Connector, x: Context, stream: string, pageSize: number): Promise<readonly string[]> {
  const keys: string[] = [];
  let complete = false;
  for await (const page of connector.listKeys?.(x, { stream, cursor: null, pageSize }) ?? []) {
    const problem = cursorProblem(page.cursor);
    must(problem === undefined, `listKeys of "${stream}" has a cursor that the engine refuses: ${problem}.`);
    keys.push(...page.keys);
    complete = !page.more;
    if (complete) break;
  }
  must(complete, `listKeys of "${stream}" ended without a page that says more: false.`);
  return keys;
}
