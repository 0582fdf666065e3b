import {
  type Connection,
  createLiveRows,
  createLiveValue,
  followEvents,
  type LiveRows,
  type LiveValue,
  type Refusal,
  refusalOf,
} from "@quiesce/client";
import { CatalogueKeysDocument, CatalogueRowsDocument } from "./catalogue.generated.js";
import { type CatalogueRow, compareRows, type Marks, patchOf, rowOf } from "./catalogue-rows.js";

/** How far the catalogue is. */
export interface CatalogueProgress {
  readonly isComplete: boolean;
  /** There are more integrations than are shown here. */
  readonly isCut: boolean;
  readonly refusal: Refusal | null;
}

/** Every integration with its present state, beside the cache. */
export interface Catalogue {
  readonly rows: LiveRows<CatalogueRow>;
  readonly progress: LiveValue<CatalogueProgress>;
  readonly again: () => void;
  readonly stop: () => void;
}

const PAGE_SIZE = 200;
const MAX_ROWS = 20_000;
/** However much happens, what is held and what fails is asked for at most so often. */
const MARKS_MS = 1_000;
/** What the server could not answer just now is asked for again. */
const RETRY_MS = 5_000;
const passing: readonly string[] = ["CONNECTION_LOST", "QSC_DATABASE_BUSY", "QSC_GRAPHQL_TIMEOUT", "QSC_HTTP_RATE_LIMITED"];
const kinds = ["run.started", "run.finished", "run.requeued", "run.aborted", "hold.*", "window.*", "catalogue.applied"];
const nothing: Marks = { held: new Set(), failing: new Set() };

/** Reads every integration in pages, and follows what happens to them meanwhile and afterwards. */
export function openCatalogue(connection: Connection): Catalogue {
  const rows = createLiveRows<CatalogueRow>({ keyOf: ({ key }) => key, compare: compareRows, limit: MAX_ROWS });
  const progress = createLiveValue<CatalogueProgress>({ isComplete: false, isCut: false, refusal: null });
  let marks = nothing;
  let marksTimer: ReturnType<typeof setTimeout> | undefined;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;
  let reading = 0;

  const readMarks = async (): Promise<void> => {
    const [held, failing] = await Promise.all([keysOf(connection, { held: true }), keysOf(connection, { failing: true })]);
    if (isStopped) return;
    if (held === null || failing === null) {
      marksTimer ??= setTimeout(marksAgain, RETRY_MS);
      return;
    }
    marks = { held, failing };
    for (const { key, isHeld, isFailing } of rows.all())
      if (isHeld !== held.has(key) || isFailing !== failing.has(key))
        rows.change(key, (row) => ({ ...row, isHeld: held.has(key), isFailing: failing.has(key) }));
  };
  const marksSoon = (): void => {
    marksTimer ??= setTimeout(marksAgain, MARKS_MS);
  };
  const marksAgain = (): void => {
    marksTimer = undefined;
    void readMarks();
  };
  const read = async (): Promise<void> => {
    const turn = (reading += 1);
    clearTimeout(retryTimer);
    progress.set({ ...progress.get(), isComplete: false, refusal: null });
    await readMarks();
    const known = new Set<string>();
    let after: string | null = null;
    do {
      const asked = rows.begin();
      const answer: Awaited<ReturnType<typeof pageBehind>> = await pageBehind(connection, after);
      const isObsolete = isStopped || turn !== reading;
      rows.page(asked, isObsolete || answer.page === null ? [] : answer.page.nodes.map((node) => rowOf(node, marks)));
      if (isObsolete) return;
      if (answer.page === null) {
        progress.set({ ...progress.get(), refusal: answer.refusal });
        if (passing.includes(answer.refusal?.code ?? "")) retryTimer = setTimeout(() => void read(), RETRY_MS);
        return;
      }
      for (const { key } of answer.page.nodes) known.add(key);
      after = answer.page.pageInfo.hasNextPage ? answer.page.pageInfo.endCursor : null;
    } while (after !== null && known.size < MAX_ROWS);
    for (const { key } of rows.all()) if (!known.has(key)) rows.remove(key);
    rows.flush();
    progress.set({ isComplete: true, isCut: after !== null, refusal: null });
  };
  const followed = followEvents(connection, {
    kinds,
    onEvent: (event) => {
      if (event.kind === "catalogue.applied") return void read();
      const patch = patchOf(event);
      if (patch === null || event.integrationKey === null) return marksSoon();
      const wasFailing = rows.get(event.integrationKey)?.isFailing === true;
      rows.change(event.integrationKey, patch);
      if (wasFailing && event.kind === "run.finished") marksSoon();
    },
    onGap: () => void read(),
  });
  void read();
  return {
    rows,
    progress,
    again: () => void read(),
    stop() {
      isStopped = true;
      followed.stop();
      clearTimeout(marksTimer);
      clearTimeout(retryTimer);
    },
  };
}

async function pageBehind(connection: Connection, after: string | null) {
  const { data, error } = await connection.client
    .query(CatalogueRowsDocument, { first: PAGE_SIZE, after }, { requestPolicy: "network-only" })
    .toPromise();
  return { page: data?.integrations ?? null, refusal: refusalOf(error) };
}

/** The keys of integrations that fit; null when they could not be had. */
async function keysOf(
  connection: Connection,
  filter: { readonly held?: true; readonly failing?: true },
): Promise<ReadonlySet<string> | null> {
  const keys = new Set<string>();
  let after: string | null = null;
  do {
    const { data, error }: Awaited<ReturnType<typeof keysBehind>> = await keysBehind(connection, filter, after);
    if (error !== undefined || data === undefined) return null;
    for (const { key } of data.integrations.nodes) keys.add(key);
    after = data.integrations.pageInfo.hasNextPage ? data.integrations.pageInfo.endCursor : null;
  } while (after !== null && keys.size < MAX_ROWS);
  return keys;
}

function keysBehind(connection: Connection, filter: { readonly held?: true; readonly failing?: true }, after: string | null) {
  return connection.client.query(CatalogueKeysDocument, { filter, after }, { requestPolicy: "network-only" }).toPromise();
}
