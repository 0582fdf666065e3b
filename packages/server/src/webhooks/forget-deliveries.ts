import { webhookLimits } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";

/** Deliveries are known this much longer than their senders are promised. */
const spareHours = 24;
const deletedAtOnce = 5_000;

/** Forgets deliveries that were settled long ago, a bounded number at a time; dead ones last, because somebody may still look at them. */
export async function forgetDeliveries(context: { readonly database: Database }): Promise<number> {
  const hours = webhookLimits.rememberedHours + spareHours;
  let forgotten = 0;
  for (let more = true; more;) {
    const rows = await context.database.db.execute(sql`
      delete from webhook_delivery where id in (
        select id from webhook_delivery
        where settled_at < app_now() - case state when 'dead' then ${webhookLimits.keptDeadDays}::integer * 24 else ${hours}::integer end * interval '1 hour'
        order by settled_at limit ${deletedAtOnce} for update skip locked)
      returning id`);
    forgotten += rows.length;
    more = rows.length === deletedAtOnce;
  }
  return forgotten;
}
