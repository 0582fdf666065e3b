import { ConnectorError, isConnectorError, z, type Change, type ChangePage, type Context, type Cursor } from "../../index.js";
import { ask, type ExampleContext } from "./example-request.js";

const HOUR_MS = 3_600_000;
const change = z.object({
  id: z.string(),
  title: z.string(),
  from: z.string(),
  to: z.string(),
  state: z.enum(["approval", "scheduled", "cancelled"]),
  touchedAt: z.string(),
});
const changesPage = z.object({ changes: z.array(change), more: z.boolean() });

/** The cursor is the time of the last touch: the system gives each its own. */
export async function* plannedChanges(
  x: ExampleContext,
  request: { readonly from: string; readonly to: string; readonly cursor: Cursor | null },
): AsyncGenerator<ChangePage, void, void> {
  const { from, to } = request;
  let after = timeOf(x, request.cursor, "after");
  for (;;) {
    const query = new URLSearchParams({ from, to, after, size: "4" });
    const { changes, more } = await ask(x, `/changes?${query.toString()}`, changesPage);
    after = changes.at(-1)?.touchedAt ?? after;
    yield { changes: changes.map(changeOf), cursor: { after }, more };
    if (!more) return;
  }
}

function changeOf({ id, title, from, to, state, touchedAt }: z.output<typeof change>): Change {
  return { id, title, start: from, end: to, state, resources: ["erp"], updatedAt: touchedAt };
}

/** The same decision twice is answered alike by the system. */
export async function approveChange(
  x: ExampleContext,
  id: string,
  { approve }: { readonly approve: boolean; readonly note: string },
): Promise<void> {
  const body = JSON.stringify({ decision: approve ? "yes" : "no" });
  await ask(x, `/changes/${encodeURIComponent(id)}`, z.undefined(), { method: "POST", body });
}

/** A time of a cursor; "" to begin at the beginning, for a time of the future would be silent until then. */
export function timeOf(x: Pick<Context, "clock">, cursor: Cursor | null, name: string): string {
  const at = cursor?.[name];
  return typeof at === "string" && Date.parse(at) <= x.clock.now().getTime() + HOUR_MS ? at : "";
}

const quota = z.object({ limit: z.int(), remaining: z.int(), resetsAt: z.string() });

export async function allowance(x: ExampleContext): Promise<z.output<typeof quota>> {
  return ask(x, "/quota", quota);
}

/** The system knows a message by its key, so that one whose answer was lost may be sent again. */
export async function tell(
  x: ExampleContext,
  message: { readonly title: string; readonly body: string; readonly to?: string; readonly threadKey: string },
  { idempotencyKey }: { readonly idempotencyKey: string },
): Promise<{ readonly id: string }> {
  const { title, body, to = "operations", threadKey } = message;
  const text = `${title}\n${body}`;
  try {
    const headers = { "idempotency-key": idempotencyKey };
    const sent = JSON.stringify({ text, thread: threadKey, channel: to });
    return await ask(x, "/messages", z.object({ id: z.string() }), { method: "POST", headers, body: sent });
  } catch (thrown) {
    // An answer of another shape comes behind the work as well.
    if (isConnectorError(thrown) && thrown.kind === "contract")
      throw new ConnectorError("contract", thrown.message, { ...thrown.info, ambiguous: true });
    throw thrown;
  }
}
