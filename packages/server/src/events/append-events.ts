import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { queueEndpointMessages } from "../notifications/queue-endpoint-messages.js";
import { queueMessages } from "../notifications/queue-messages.js";

/** One thing that happened, written in the transaction in which it happened; the sequencer numbers it after the commit. */
export interface NewEvent {
  /** Noun and past tense: `window.opened`, `run.started`. */
  readonly kind: string;
  readonly subjectKind:
    | "run"
    | "window"
    | "hold"
    | "integration"
    | "system"
    | "endpoint"
    | "job"
    | "token"
    | "principal"
    | "session"
    | "access-review"
    | "calendar"
    | "team"
    | "incident"
    | "problem"
    | "objective"
    | "threshold"
    | "anomaly-rule"
    | "control";
  readonly subjectKey: string;
  readonly integrationKey?: string;
  readonly payload?: { readonly [name: string]: unknown };
}

/** An instant as payloads write it: ISO 8601, UTC, with a Z; null stays null. */
export function payloadInstant(instantMs: number): string;
export function payloadInstant(instantMs: number | null): string | null;
export function payloadInstant(instantMs: number | null): string | null {
  return instantMs === null ? null : new Date(instantMs).toISOString();
}

/** Writes events into the inbox, and what teams are to be told of them into the outbox. Call it after the rows' locks are taken, so that events of one thing follow its commits. */
export async function appendEvents(tx: Tx, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const rows = JSON.stringify(
    events.map((event) => ({
      kind: event.kind,
      subject_kind: event.subjectKind,
      subject_key: event.subjectKey,
      integration_key: event.integrationKey ?? null,
      payload: event.payload ?? {},
    })),
  );
  await tx.execute(sql`
    insert into event_inbox (kind, subject_kind, subject_key, integration_key, payload)
    select kind, subject_kind, subject_key, integration_key, payload
    from jsonb_to_recordset(${rows}::text::jsonb)
      as e(kind text, subject_kind text, subject_key text, integration_key text, payload jsonb)`);
  await queueMessages(
    tx,
    events.filter((event) => event.subjectKind === "window"),
  );
  await queueEndpointMessages(
    tx,
    events.filter((event) => event.subjectKind === "endpoint"),
  );
}
