import { DomainError } from "@quiesce/core";
import { eq, sql } from "drizzle-orm";
import { randomUUID } from "node:crypto";
import { recordAudit } from "../audit/record-audit.js";
import type { CatalogContext } from "../catalog/catalog-context.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import { createEgress, type Egress } from "../connector-host/guarded-fetch.js";
import { open } from "../credentials/sealed-secret.js";
import { appendEvents } from "../events/append-events.js";
import { destinationOf, mailUrl } from "./destination.js";
import { sendMail } from "./send-mail.js";
import { sendWebhook } from "./send-webhook.js";
import { team, teamWebhook, webhookSecretAddress } from "./table.js";

/** How one receiver answered a test message: a webhook, or the mail server of an endpoint. */
export interface TestAnswer {
  readonly webhookId: number;
  readonly destination: string;
  readonly ok: boolean;
  /** null: there was no answer. */
  readonly status: number | null;
  /** The beginning of the answer, or why there was none. */
  readonly answer: string;
  /** It was disabled, and is not any more. */
  readonly enabled: boolean;
}

/**
 * Sends a message of the type `quiesce.test` to every webhook and mail address of a team and answers what came of it. A webhook that was disabled (410 Gone) and answers
 * now with 2xx is told everything again from here on. Throws QSC_TEAM_NOT_FOUND, QSC_TEAM_WITHOUT_WEBHOOKS.
 */
export async function testTeam(
  context: Pick<CatalogContext, "keys" | "notices" | "privateHosts"> & CommandContext,
  key: string,
): Promise<readonly TestAnswer[]> {
  const { db } = context.database;
  const [row] = await db.select().from(team).where(eq(team.key, key));
  if (row === undefined)
    throw new DomainError(
      "QSC_TEAM_NOT_FOUND",
      `There is no team "${key}". Teams are entries of the workspace: add it there and apply it.`,
      {
        field: "key",
      },
    );
  const hooks = await db.select().from(teamWebhook).where(eq(teamWebhook.teamId, row.id)).orderBy(teamWebhook.url);
  if (hooks.length === 0)
    throw new DomainError(
      "QSC_TEAM_WITHOUT_WEBHOOKS",
      `The team "${key}" has no webhooks and no mail addresses. Give it one in the workspace and apply it.`,
      {
        field: "key",
      },
    );
  const at = await readNow(db);
  const payload = {
    type: "quiesce.test",
    timestamp: new Date(at).toISOString(),
    data: { team: { key, title: row.title }, by: context.actor.name },
  };
  const egress = createEgress({ privateHosts: context.privateHosts ?? [] });
  try {
    const answers = await Promise.all(
      hooks.map(async (hook): Promise<TestAnswer> => {
        const destination = destinationOf(hook.url);
        const tried = await tryOne({ ...context, egress }, { hook, key, at, payload });
        const enabled = tried.ok && (await enable(context, { webhookId: hook.id, key, destination }));
        return { webhookId: hook.id, destination, ...tried, enabled };
      }),
    );
    const told = answers.map(({ destination, status, ok }) => ({ destination, status, ok }));
    const subject = { subjectKind: "team", subjectKey: key } as const;
    await recordAudit(db, { ...subject, actor: context.actor, action: "team.test", after: { told } });
    return answers;
  } finally {
    await egress.close();
  }
}

/** Sends one test message and says what came of it. */
async function tryOne(
  context: Pick<CatalogContext, "keys" | "notices"> & { readonly egress: Egress },
  test: {
    readonly hook: typeof teamWebhook.$inferSelect;
    readonly key: string;
    readonly at: number;
    readonly payload: { readonly [name: string]: unknown };
  },
): Promise<Pick<TestAnswer, "ok" | "status" | "answer">> {
  const { hook, key, at, payload } = test;
  const { url, sealed, endpointId, stream } = hook;
  const { signal } = new AbortController();
  const messageId = randomUUID();
  if (sealed === null) {
    if (endpointId === null || stream === null || context.notices === undefined)
      return { ok: false, status: null, answer: "No mail goes out here: this server calls no endpoints." };
    const answer = await sendMail(context.notices, { to: url.slice(mailUrl("").length), endpointId, stream, messageId, payload }, signal);
    const isTaken = answer.kind === "taken";
    return { ok: isTaken, status: null, answer: isTaken || answer.kind === "answered" ? "taken by the mail server" : answer.problem };
  }
  const secret = open(context.keys, webhookSecretAddress(key, url), sealed);
  const answer = await sendWebhook(context.egress, { url, secret, messageId, at, payload }, signal);
  if (answer.kind !== "answered") return { ok: false, status: null, answer: answer.problem };
  return { ok: answer.status >= 200 && answer.status < 300, status: answer.status, answer: answer.excerpt };
}

function enable(
  context: CommandContext,
  { webhookId, key, destination }: { readonly webhookId: number; readonly key: string; readonly destination: string },
): Promise<boolean> {
  return inTransaction(context, async (tx) => {
    const rows = await tx.execute(
      sql`update team_webhook set disabled_at = null where id = ${webhookId} and disabled_at is not null returning id`,
    );
    if (rows.length === 0) return false;
    const reason = "It answered a test message.";
    await recordAudit(tx, {
      actor: context.actor,
      action: "team.enable-webhook",
      subjectKind: "team",
      subjectKey: key,
      reason,
      after: { destination },
    });
    await appendEvents(tx, [{ kind: "team.webhook-enabled", subjectKind: "team", subjectKey: key, payload: { destination, reason } }]);
    return true;
  });
}

/**
 * Sends a message that has ended once more, under its old id, and with the patience of a new one. Throws QSC_DELIVERY_NOT_FOUND and QSC_DELIVERY_UNDER_WAY, and
 * QSC_DELIVERY_NOWHERE when its webhook is gone or disabled.
 */
export function redeliver(
  context: CommandContext,
  input: { readonly id: number; readonly reason?: string | undefined },
): Promise<{ readonly id: number }> {
  const { id, reason } = input;
  return inTransaction(context, async (tx) => {
    const [row] = await tx.execute<{ team: string; ended: boolean; reachable: boolean }>(sql`
      select x.team, coalesce(x.delivered_at, x.failed_at) is not null as ended, (k.id is not null and k.disabled_at is null) as reachable
      from outbox as x left join team_webhook as k on k.id = x.webhook_id where x.id = ${id} for update of x`);
    if (row === undefined)
      throw new DomainError("QSC_DELIVERY_NOT_FOUND", `There is no message ${id}; they are kept for 30 days.`, { field: "key" });
    if (!row.ended)
      throw new DomainError("QSC_DELIVERY_UNDER_WAY", `The message ${id} is still being delivered. Wait, or mend its receiver.`, {
        field: "key",
      });
    if (!row.reachable)
      throw new DomainError(
        "QSC_DELIVERY_NOWHERE",
        `The webhook of message ${id} is gone, or disabled because its receiver said 410 Gone. Try it first: quiesce team test ${row.team}`,
        { field: "key" },
      );
    await tx.execute(sql`
      update outbox set delivered_at = null, failed_at = null, next_at = app_now(), patience_from = app_now(), patience_attempts = attempts where id = ${id}`);
    await recordAudit(tx, {
      actor: context.actor,
      action: "team.redeliver",
      subjectKind: "team",
      subjectKey: row.team,
      ...(reason === undefined ? {} : { reason }),
      after: { message: id },
    });
    await appendEvents(tx, [{ kind: "team.redelivery-ordered", subjectKind: "team", subjectKey: row.team, payload: { message: id } }]);
    return { id };
  });
}
