import {
  bucketOf,
  compareKeys,
  ConnectorError,
  digestOf,
  recordHash,
  z,
  type CatalogPage,
  type Cursor,
  type KeyHash,
  type ReconcileRange,
  type SourceRecord,
} from "../../index.js";
import { timeOf } from "./example-planning.js";
import { readOrders } from "./example-records.js";
import { ask, type ExampleContext } from "./example-request.js";

const PAGE_SIZE = 2;
const thing = z.object({ id: z.string(), needs: z.array(z.string()), gone: z.boolean() });
const thingsPage = z.object({ things: z.array(thing), more: z.boolean(), until: z.string() });

/** Everything the first time, afterwards what has changed since. */
export async function* listThings(x: ExampleContext, request: { readonly cursor: Cursor | null }): AsyncGenerator<CatalogPage, void, void> {
  const since = timeOf(x, request.cursor, "since");
  const type = since === "" ? "full" : "delta";
  let behind = "";
  for (;;) {
    const query = new URLSearchParams({ behind, size: String(PAGE_SIZE), ...(since === "" ? {} : { since }) });
    const { things, more, until } = await ask(x, `/things?${query.toString()}`, thingsPage);
    behind = things.at(-1)?.id ?? behind;
    const items = things.filter(({ gone }) => !gone).map(({ id, needs }) => ({ id, kind: "service", name: `The ${id}`, dependsOn: needs }));
    const removed = things.filter(({ gone }) => gone).map(({ id }) => id);
    yield { type, items, ...(type === "full" ? {} : { removed }), cursor: { since: until }, more };
    if (!more) return;
  }
}

type FieldsRequest = ReconcileRange & { readonly fields: readonly string[] };

/** The system counts and hashes nothing: its orders are read, and compared here. */
export async function countOrders(x: ExampleContext, request: ReconcileRange): Promise<number> {
  return (await ordersOf(x, request)).length;
}

export async function keysOfOrders(
  x: ExampleContext,
  request: FieldsRequest & { readonly after: string | undefined; readonly limit: number },
): Promise<readonly KeyHash[]> {
  const { after, limit, fields } = request;
  return (await hashesOf(x, request, fields)).filter(({ key }) => after === undefined || compareKeys(key, after) > 0).slice(0, limit);
}

export async function digestsOfOrders(
  x: ExampleContext,
  request: FieldsRequest & { readonly buckets: number },
): Promise<readonly string[]> {
  const pairs = await hashesOf(x, request, request.fields);
  return Array.from({ length: request.buckets }, (_none, bucket) =>
    digestOf(pairs.filter(({ key }) => bucketOf(key, request.buckets) === bucket)),
  );
}

async function hashesOf(x: ExampleContext, range: ReconcileRange, fields: readonly string[]): Promise<readonly KeyHash[]> {
  return (await ordersOf(x, range))
    .map(({ key, data }) => ({ key, hash: recordHash(data, fields) }))
    .toSorted((left, right) => compareKeys(left.key, right.key));
}

async function ordersOf(x: ExampleContext, { stream, from, to }: ReconcileRange): Promise<readonly SourceRecord[]> {
  if (from !== undefined || to !== undefined)
    throw new ConnectorError("config", "A range of time cannot be compared; leave from and to away.");
  const found: SourceRecord[] = [];
  for await (const { records } of readOrders(x, { stream, cursor: null, pageSize: 100 })) found.push(...records);
  return found.filter(({ op }) => op !== "delete");
}
