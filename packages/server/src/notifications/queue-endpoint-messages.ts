import { endpointMessage, type EndpointMessageFacts, isTold, maxNamedIntegrations } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { destinationOf } from "./destination.js";
import { insertMessages } from "./insert-messages.js";

interface EndpointEvent {
  readonly kind: string;
  readonly subjectKey: string;
  readonly payload?: { readonly [name: string]: unknown };
}

interface Told extends Omit<EndpointMessageFacts, "kind" | "event"> {
  readonly n: number;
  readonly hooks: readonly {
    readonly id: number;
    readonly team: string;
    readonly url: string;
    readonly events: readonly string[];
    readonly observe: boolean;
  }[];
}

/**
 * Writes what the owner teams of an endpoint's system and of the integrations that work with it are to be told of events, in the transaction of these
 * events. As {@link queueMessages} does for windows; nothing is sent here.
 */
export async function queueEndpointMessages(tx: Tx, events: readonly EndpointEvent[]): Promise<void> {
  if (events.length === 0) return;
  const messages = (await toldOf(tx, events)).flatMap(({ n, hooks, ...facts }) => {
    const event = events[n];
    if (event === undefined) return [];
    const { kind, payload = {} } = event;
    return hooks
      .filter((hook) => isTold(hook, { kind, observing: false }))
      .map((hook) => ({
        kind,
        webhook_id: hook.id,
        team: hook.team,
        destination: destinationOf(hook.url),
        thing: `endpoint:${facts.endpoint.key}`,
        payload: endpointMessage({ ...facts, kind, event: payload }),
      }));
  });
  await insertMessages(tx, messages);
}

function toldOf(tx: Tx, events: readonly EndpointEvent[]): Promise<readonly Told[]> {
  const rows = events.map(({ subjectKey }, n) => ({ n, key: subjectKey }));
  const uses = sql`integration as i where i.source_endpoint_id = p.id or i.target_endpoint_id = p.id`;
  return selectRows<Told>(
    tx,
    sql`
    select e.n, app_now() as at, jsonb_build_object('key', p.key, 'name', p.name, 'system', s.key, 'connector', p.connector) as endpoint,
      array(select i.key from ${uses} order by i.key limit ${maxNamedIntegrations}) as integrations,
      (select count(*)::integer from ${uses}) as "integrationCount",
      (select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'team', t.key, 'url', k.url, 'events', k.events, 'observe', k.observe) order by k.id), '[]')
        from team_webhook as k join team as t on t.id = k.team_id
        where k.disabled_at is null and (t.key = s.owner_team or exists (select from integration as i
          where (i.source_endpoint_id = p.id or i.target_endpoint_id = p.id) and i.owner_team = t.key))) as hooks
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as e(n integer, key text)
    join endpoint as p on p.key = e.key join system as s on s.id = p.system_id
    where exists (select from team_webhook where disabled_at is null) order by e.n`,
  );
}
