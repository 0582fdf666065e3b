import { DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction } from "../command.js";
import { selectRows } from "../db/select-rows.js";

interface Order {
  readonly id: number;
  readonly reason: string;
}

/** Has a delivery that could not be worked through tried once more. Throws QSC_WEBHOOK_DELIVERY_NOT_FOUND and _NOT_DEAD. */
export function replayWebhookDelivery(context: CommandContext, order: Order): Promise<number> {
  return change(context, order, "replay");
}

/** Gives such a delivery up; its contents are let go of. Throws what {@link replayWebhookDelivery} does. */
export function discardWebhookDelivery(context: CommandContext, order: Order): Promise<number> {
  return change(context, order, "discard");
}

function change(context: CommandContext, { id, reason }: Order, deed: "replay" | "discard"): Promise<number> {
  return inTransaction(context, async (tx) => {
    if (reason.trim() === "")
      throw new DomainError("QSC_WEBHOOK_DELIVERY_REASON", "The reason is empty. Say why this delivery is tried once more, or given up.", {
        field: "reason",
      });
    const [row] = await selectRows<{ state: string; endpoint: string }>(
      tx,
      sql`select d.state, e.key as endpoint from webhook_delivery as d join endpoint as e on e.id = d.endpoint_id where d.id = ${id}::bigint for update of d`,
    );
    if (row === undefined)
      throw new DomainError("QSC_WEBHOOK_DELIVERY_NOT_FOUND", `There is no delivery ${id}. List them: quiesce webhook list`, {
        field: "key",
      });
    if (row.state !== "dead")
      throw new DomainError(
        "QSC_WEBHOOK_DELIVERY_NOT_DEAD",
        `The delivery ${id} is ${row.state}; only one that is dead is tried once more or given up.`,
        {
          field: "key",
        },
      );
    await tx.execute(
      deed === "replay"
        ? sql`update webhook_delivery set state = 'waiting', settled_at = null, next_try_at = null, tries = 0 where id = ${id}::bigint`
        : sql`update webhook_delivery set state = 'discarded', settled_at = app_now(), body = null, headers = '{}', query = '{}' where id = ${id}::bigint`,
    );
    await recordAudit(tx, {
      actor: context.actor,
      action: `webhook-delivery.${deed}`,
      subjectKind: "endpoint",
      subjectKey: row.endpoint,
      reason,
      before: { delivery: id, state: row.state },
      after: { delivery: id, state: deed === "replay" ? "waiting" : "discarded" },
    });
    return id;
  });
}
