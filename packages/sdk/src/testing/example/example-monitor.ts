import {
  ConnectorError,
  isConnectorError,
  standardWebhooks,
  z,
  type Alert,
  type AlertPage,
  type Downtime,
  type RemoteDowntime,
  type Webhook,
} from "../../index.js";
import { ask, type ExampleContext } from "./example-request.js";

const alert = z.object({
  host: z.string().min(1),
  since: z.string(),
  state: z.enum(["firing", "ended"]),
  until: z.string().optional(),
  silencedBy: z.string().optional(),
});

/** Everything the monitor knows: what has ended stays listed. */
export async function* pullAlerts(x: ExampleContext): AsyncGenerator<AlertPage, void, void> {
  const { alerts } = await ask(x, "/alerts", z.object({ alerts: z.array(alert) }));
  yield { alerts: alerts.map(alertOf), cursor: null, more: false };
}

function alertOf({ host, since, state, until, silencedBy }: z.output<typeof alert>): Alert {
  return {
    id: `${host}@${since}`,
    fingerprint: `host:${host}`,
    status: state === "firing" ? "firing" : "resolved",
    severity: "major",
    title: `${host} does not answer`,
    startsAt: since,
    resource: { kind: "host", name: host },
    ...(until === undefined ? {} : { endsAt: until }),
    ...(silencedBy === undefined ? {} : { suppressedBy: [silencedBy] }),
  };
}

/** The same alerts, sent by the monitor. */
export const alertWebhook: Webhook<ExampleContext["config"], ExampleContext["secrets"], readonly Alert[]> = {
  verify: (request, secrets, now) => standardWebhooks()(request, [secrets.webhookSecret], now),
  parse: (request) => {
    const parsed = z.object({ alert }).safeParse(parseJson(request.body));
    if (!parsed.success) throw new ConnectorError("contract", `The delivery has another shape: ${parsed.error.issues[0]?.message ?? ""}`);
    return [alertOf(parsed.data.alert)];
  },
};

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch (cause) {
    throw new ConnectorError("contract", "The delivery is not JSON.", { cause });
  }
}

const remote = z.object({ id: z.string(), comment: z.string(), host: z.string(), from: z.number(), to: z.number() });
const listed = z.object({ downtimes: z.array(remote) });

/** One downtime a host, the window in its comment. What differs is made anew. */
export async function announce(x: ExampleContext, downtime: Downtime): Promise<{ readonly ids: readonly string[] }> {
  const { windowId, resources, start, end } = downtime;
  const [from, to] = [Date.parse(start), Date.parse(end)];
  const present = await downtimesOf(x, windowId);
  const kept = present.filter((one) => one.from === from && one.to === to && resources.includes(one.host));
  for (const one of present.filter((found) => !kept.includes(found))) await remove(x, one.id);
  const ids = kept.map((one) => one.id);
  for (const host of resources.filter((name) => !kept.some((one) => one.host === name))) {
    const body = JSON.stringify({ comment: `quiesce:${windowId}`, host, from, to });
    ids.push((await ask(x, "/downtimes", z.object({ id: z.string() }), { method: "POST", body })).id);
  }
  return { ids };
}

export async function withdraw(x: ExampleContext, windowId: string): Promise<void> {
  for (const { id } of await downtimesOf(x, windowId)) await remove(x, id);
}

export async function listDowntimes(x: ExampleContext): Promise<readonly RemoteDowntime[]> {
  const { downtimes } = await ask(x, "/downtimes", listed);
  return downtimes.map(({ id, comment, host, from, to }) => ({
    id,
    start: new Date(from).toISOString(),
    end: new Date(to).toISOString(),
    resources: [host],
    title: comment,
    ...(comment.startsWith("quiesce:") ? { windowId: comment.slice("quiesce:".length) } : {}),
  }));
}

async function downtimesOf(x: ExampleContext, windowId: string): Promise<readonly z.output<typeof remote>[]> {
  const { downtimes } = await ask(x, "/downtimes", listed);
  return downtimes.filter(({ comment }) => comment === `quiesce:${windowId}`);
}

async function remove(x: ExampleContext, id: string): Promise<void> {
  try {
    await ask(x, `/downtimes/${encodeURIComponent(id)}`, z.undefined(), { method: "DELETE" });
  } catch (thrown) {
    if (!isConnectorError(thrown) || thrown.kind !== "not_found") throw thrown;
  }
}
