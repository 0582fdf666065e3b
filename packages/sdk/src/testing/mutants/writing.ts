import { ConnectorError, type WriteItem, type WriteResult } from "../../index.js";
import { exampleConnector, exampleOptions } from "../example/example-connector.js";
import type { ExampleContext } from "../example/example-request.js";
import { mutant, own, type Mutant } from "./mutant.js";

type Apply = (x: ExampleContext, stream: string, items: readonly WriteItem[]) => Promise<readonly WriteResult[]>;
const write = own(exampleConnector.write);
const apply: Apply = write.apply.bind(write);

function applies(change: Apply): { readonly write: NonNullable<typeof exampleConnector.write> } {
  return { write: { ...write, apply: change } };
}

function results(change: (result: WriteResult) => WriteResult): ReturnType<typeof applies> {
  return applies(async (x, stream, items) => (await apply(x, stream, items)).map(change));
}

/** Faults of writing. */
export const writingMutants: readonly Mutant[] = [
  mutant(
    "write: what is not in doubt when a request is lost was not applied",
    "does not say that a write may have been applied",
    results((result) => (result.ok ? result : { ...result, error: { ...result.error, ambiguous: undefined } })),
  ),
  mutant(
    "write: the same batch again doubles nothing",
    "doubles on replay",
    applies((x, stream, items) =>
      apply(
        { ...x, fetch: (url, init) => x.fetch(url, { ...init, ...(init?.method === "PUT" ? { method: "POST" } : {}) }) },
        stream,
        items,
      ),
    ),
  ),
  mutant(
    "write: a record that is refused fails alone",
    "fails a whole batch for one bad record",
    applies(async (x, stream, items) => {
      const found = await apply(x, stream, items);
      const bad = found.find((result) => !result.ok);
      return bad === undefined ? found : found.map(({ key }) => ({ ...bad, key }));
    }),
  ),
  mutant(
    "write: what is not in doubt when a request is lost was not applied",
    "throws when a part was applied",
    applies(async (x, stream, items) => {
      const found = await apply(x, stream, items);
      const bad = found.find((result) => !result.ok);
      if (bad?.ok === false) throw new ConnectorError(bad.error.kind, bad.error.message);
      return found;
    }),
  ),
  mutant(
    "write: a record that is refused fails alone",
    "says that a refused record was written",
    results(({ key }) => ({ key, ok: true })),
  ),
  mutant(
    "write: every record has one answer, and is there",
    "has no answer for the last record",
    applies(async (x, stream, items) => (await apply(x, stream, items)).slice(0, -1)),
  ),
  mutant(
    "write: every record has one answer, and is there",
    "answers by position, not by key",
    applies(async (x, stream, items) => {
      const found = await apply(x, stream, items);
      return found.map((result, index) => ({ ...result, key: String(index) }));
    }),
  ),
  mutant(
    "write: a version that is no more is conflict",
    "writes over what has changed meanwhile",
    applies((x, stream, items) =>
      apply(
        x,
        stream,
        items.map(({ ifVersion: _left, ...item }) => item),
      ),
    ),
  ),
  mutant(
    "write: a deletion is done, and done again succeeds",
    "fails to delete what is gone",
    applies(async (x, stream, items) => {
      const found = await apply(x, stream, items);
      return found.map((result) =>
        result.ok && result.unchanged === true && items.some(({ key, op }) => key === result.key && op === "delete")
          ? { key: result.key, ok: false, error: { kind: "not_found", message: "It is gone." } }
          : result,
      );
    }),
  ),
  mutant(
    "write: a deletion is done, and done again succeeds",
    "ignores deletions",
    applies(async (x, stream, items) => {
      const kept = items.filter(({ op }) => op !== "delete");
      const rest = items.filter(({ op }) => op === "delete").map(({ key }): WriteResult => ({ key, ok: true }));
      return [...(await apply(x, stream, kept)), ...rest];
    }),
  ),
  mutant(
    "write: secrets that may only read are permission",
    "takes a missing right for a missing record",
    results((result) =>
      !result.ok && result.error.kind === "permission" ? { ...result, error: { ...result.error, kind: "not_found" } } : result,
    ),
  ),
  mutant(
    "limits: write: 429 says for how long, and leaves nothing in doubt",
    "writes on after it was asked to slow down, and forgets for how long",
    results((result) => (result.ok ? result : { ...result, error: { ...result.error, retryAfterMs: undefined } })),
  ),
  mutant(
    "write: a stream that there is not is config",
    "writes to a stream that there is not",
    applies((x, _stream, items) => apply(x, "orders", items)),
  ),
  mutant(
    "write: secrets that may only read are permission",
    "writes without secrets that may",
    applies((x, stream, items) =>
      apply({ ...x, fetch: (url, init) => x.fetch(url, { ...init }) }, stream, items).then((found) =>
        found.map((result) => (!result.ok && result.error.kind === "permission" ? { key: result.key, ok: true } : result)),
      ),
    ),
    { secrets: { ...exampleOptions.secrets } },
  ),
];
