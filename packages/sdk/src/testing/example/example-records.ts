import {
  ConnectorError,
  toConnectorError,
  z,
  type Cursor,
  type Page,
  type ReadRequest,
  type WriteItem,
  type WriteResult,
} from "../../index.js";
import { ask, type ExampleContext } from "./example-request.js";

const ordersPage = z.object({
  orders: z.array(z.object({ id: z.string(), at: z.string(), n: z.number(), deleted: z.boolean().optional() })),
  more: z.boolean(),
});

/** Orders by (time, id): both are in the cursor, for many share one time. */
export async function* readOrders(x: ExampleContext, request: ReadRequest): AsyncGenerator<Page, void, void> {
  mustBeOrders(request.stream);
  if (request.from !== undefined || request.to !== undefined)
    throw new ConnectorError("config", "A range of time cannot be read; leave from and to away.");
  let [at, id] = startOf(x, request.cursor);
  for (;;) {
    const query = new URLSearchParams({ at, id, size: String(request.pageSize) });
    const { orders, more } = await ask(x, `/orders?${query.toString()}`, ordersPage);
    const last = orders.at(-1);
    [at, id] = last === undefined ? [at, id] : [last.at, last.id];
    yield {
      records: orders.map(({ deleted, ...data }) => ({
        key: data.id,
        at: data.at,
        data,
        ...(deleted === true ? { op: "delete" as const } : {}),
      })),
      cursor: { at, id },
      more,
    };
    if (!more) return;
  }
}

/** A cursor of the future would be silent until then. */
function startOf(x: ExampleContext, cursor: Cursor | null): [at: string, id: string] {
  const { at, id } = cursor ?? {};
  if (typeof at !== "string" || typeof id !== "string") return ["", ""];
  const hour = 3_600_000;
  return Date.parse(at) > x.clock.now().getTime() + hour ? ["", ""] : [at, id];
}

function mustBeOrders(stream: string): void {
  if (stream !== "orders") throw new ConnectorError("config", `There is no stream "${stream}"; there is orders.`);
}

/** What concerns the system, not the record: the rest is not sent. */
const STOPS_BATCH = new Set(["auth", "permission", "config", "rate_limited", "unavailable", "timeout", "cancelled"]);
const written = z.object({ id: z.string(), version: z.string(), unchanged: z.boolean() });

/** One request a record. */
export async function writeOrders(x: ExampleContext, stream: string, items: readonly WriteItem[]): Promise<readonly WriteResult[]> {
  mustBeOrders(stream);
  const results: WriteResult[] = [];
  for (const item of items) {
    const stopped = results.find((result) => !result.ok && STOPS_BATCH.has(result.error.kind));
    // Not sent at all, so nothing about it is in doubt.
    if (stopped?.ok === false) results.push({ key: item.key, ok: false, error: { ...stopped.error, ambiguous: undefined } });
    else results.push(await writeOrder(x, item));
  }
  return results;
}

async function writeOrder(x: ExampleContext, item: WriteItem): Promise<WriteResult> {
  const { key } = item;
  const path = `/orders/${encodeURIComponent(key)}`;
  try {
    if (item.op === "delete") {
      await ask(x, path, z.undefined(), { method: "DELETE" });
      return { key, ok: true };
    }
    const headers = item.ifVersion === undefined ? {} : { "if-match": item.ifVersion };
    const { version, unchanged } = await ask(x, path, written, { method: "PUT", body: JSON.stringify(item.data), headers });
    return { key, ok: true, version, unchanged };
  } catch (thrown) {
    const { kind, message, info } = toConnectorError(thrown, x.signal);
    if (item.op === "delete" && kind === "not_found") return { key, ok: true, unchanged: true };
    const { retryAfterMs, field, status } = info;
    // An answer of another shape comes behind the work as well.
    const ambiguous = info.ambiguous === true || kind === "contract" ? true : undefined;
    return { key, ok: false, error: { kind, message, retryAfterMs, field, status, ambiguous } };
  }
}
