import { createHash, randomBytes } from "node:crypto";
import { DomainError, type FeedScope, feedScopeSchema } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction } from "../command.js";
import { appendEvents } from "../events/append-events.js";
import { parsed } from "../windows/parse-input.js";

const SECRET_START = "cal_";
const SECRET_BYTES = 32;
/** So many characters are kept readable, so that a person can tell feeds apart: 4 + 36 bits of 256. */
const PREFIX_LENGTH = SECRET_START.length + 6;
const SECRET_SHAPE = /^cal_[A-Za-z0-9_-]{43}$/;
const TITLE_MAX = 200;

/** A feed as it is handed out. `path` exists only in this value: the database keeps the SHA-256 of its secret. */
export interface NewFeed {
  readonly id: number;
  readonly path: string;
}

/** What the database knows of a feed's secret; null for text that cannot be one. */
export function hashFeedSecret(secret: string): Buffer | null {
  return SECRET_SHAPE.test(secret) ? createHash("sha256").update(secret, "utf8").digest() : null;
}

/** Makes the address of a calendar of windows. Whoever knows it reads the calendar, until it is revoked. Throws QSC_CALENDAR_FEED_INVALID. */
export function createCalendarFeed(
  context: CommandContext,
  input: { readonly title: string; readonly scope: FeedScope },
): Promise<NewFeed> {
  return inTransaction(context, async (tx) => {
    const scope = parsed(feedScopeSchema, input.scope, "QSC_CALENDAR_FEED_INVALID");
    const title = input.title.trim();
    if (title === "" || title.length > TITLE_MAX) {
      throw new DomainError("QSC_CALENDAR_FEED_INVALID", `A feed's title has 1 to ${TITLE_MAX} characters; this one has ${title.length}.`, {
        field: "title",
      });
    }
    const secret = SECRET_START + randomBytes(SECRET_BYTES).toString("base64url");
    const [row] = await tx.execute<{ id: number }>(sql`
      insert into calendar_feed (title, scope, hash, prefix, created_by)
      values (${title}, ${JSON.stringify(scope)}::text::jsonb, ${hashFeedSecret(secret)}, ${secret.slice(0, PREFIX_LENGTH)}, ${context.actor.name})
      returning id`);
    if (row === undefined) throw new Error("The feed was not written.");
    const subject = { subjectKind: "calendar", subjectKey: String(row.id) } as const;
    await recordAudit(tx, { actor: context.actor, action: "feed.create", ...subject, after: { title, scope } });
    await appendEvents(tx, [{ kind: "calendar.feed-created", ...subject, payload: { title, scope } }]);
    return { id: row.id, path: `/calendars/${secret}.ics` };
  });
}

/** Ends a feed's address at once. Revoking twice is no error. Throws QSC_CALENDAR_FEED_NOT_FOUND. */
export function revokeCalendarFeed(
  context: CommandContext,
  input: { readonly id: number; readonly reason?: string | undefined },
): Promise<{ readonly id: number }> {
  return inTransaction(context, async (tx) => {
    const [row] = await tx.execute<{ title: string; revoked: boolean }>(sql`
      select title, revoked_at is not null as revoked from calendar_feed where id = ${input.id}::bigint for update`);
    if (row === undefined) {
      throw new DomainError(
        "QSC_CALENDAR_FEED_NOT_FOUND",
        `There is no calendar feed ${input.id}. List them with the query calendarFeeds.`,
        {
          field: "key",
        },
      );
    }
    if (row.revoked) return { id: input.id };
    await tx.execute(sql`update calendar_feed set revoked_at = app_now() where id = ${input.id}`);
    const subject = { subjectKind: "calendar", subjectKey: String(input.id) } as const;
    const reason = input.reason === undefined ? {} : { reason: input.reason };
    await recordAudit(tx, {
      actor: context.actor,
      action: "feed.revoke",
      ...subject,
      ...reason,
      before: { title: row.title, revoked: false },
      after: { title: row.title, revoked: true },
    });
    await appendEvents(tx, [{ kind: "calendar.feed-revoked", ...subject, payload: { title: row.title } }]);
    return { id: input.id };
  });
}
