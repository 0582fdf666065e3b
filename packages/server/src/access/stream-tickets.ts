import { randomBytes } from "node:crypto";
import { DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Database } from "../db/client.js";
import { type Authenticated, callersOf, type CredentialKey } from "./authenticate.js";
import { hashSecret } from "./secrets.js";

const TICKET_START = "qst_";
const TICKET_BYTES = 32;
const TICKET_SHAPE = /^qst_[A-Za-z0-9_-]{43}$/;
/** Long enough to open a stream, too short to be found in a log and used. */
const TICKET_LIFETIME_MS = 30_000;
/** Tickets of one token that nobody has used yet. */
const MAX_OPEN_TICKETS = 100;

/** Worth one stream. `secret` exists only in this value: the database keeps its SHA-256. */
export interface StreamTicket {
  readonly secret: string;
  readonly expiresAt: number;
}

/** Makes a ticket for the token that asks. Throws QSC_ACCESS_TICKET_LIMIT, and QSC_ACCESS_TICKET_SESSION for a session, which needs none. */
export function createStreamTicket(context: Pick<CommandContext, "database">, credential: CredentialKey): Promise<StreamTicket> {
  if (!credential.startsWith("token:"))
    throw new DomainError(
      "QSC_ACCESS_TICKET_SESSION",
      "A session needs no ticket: EventSource sends its cookie to GET /graphql?query=… of the same origin.",
    );
  const tokenId = Number(credential.slice("token:".length));
  return inTransaction(context, async (tx) => {
    // The token's row is the lock: of many requests at once each counts what those before it made.
    await tx.execute(sql`select from api_token where id = ${tokenId} for update`);
    const now = await readNow(tx);
    await tx.execute(sql`delete from stream_ticket where token_id = ${tokenId} and expires_at <= ${now}::timestamptz`);
    const [open] = await tx.execute<{ n: number }>(sql`select count(*)::int as n from stream_ticket where token_id = ${tokenId}`);
    if ((open?.n ?? 0) >= MAX_OPEN_TICKETS)
      throw new DomainError(
        "QSC_ACCESS_TICKET_LIMIT",
        `The token has ${MAX_OPEN_TICKETS} tickets that nobody has used. Ask for one when you open a stream, or wait ${TICKET_LIFETIME_MS / 1_000} s.`,
      );
    const secret = TICKET_START + randomBytes(TICKET_BYTES).toString("base64url");
    const expiresAt = now + TICKET_LIFETIME_MS;
    await tx.execute(sql`
      insert into stream_ticket (hash, token_id, expires_at) values (${hashSecret(secret)}, ${tokenId}, ${expiresAt}::timestamptz)`);
    return { secret, expiresAt };
  });
}

/**
 * Recognises the bearer of a ticket and uses it up, whatever then becomes of the stream. Throws QSC_ACCESS_TICKET_INVALID for a ticket that is
 * unknown, used or expired, or whose token is no longer valid: which of them it is, is nobody's business who has none.
 */
export async function redeemStreamTicket(database: Database, secret: string | null): Promise<Authenticated> {
  const rows = TICKET_SHAPE.test(secret ?? "")
    ? await database.sql<{ tokenId: number; inTime: boolean }[]>`
        delete from stream_ticket where hash = ${hashSecret(secret ?? "")} returning token_id as "tokenId", expires_at > app_now() as "inTime"`
    : [];
  const ticket = rows[0];
  const credential: CredentialKey | null = ticket?.inTime === true ? `token:${ticket.tokenId}` : null;
  const caller = credential === null ? undefined : (await callersOf(database, [credential])).get(credential);
  if (caller === undefined)
    throw new DomainError(
      "QSC_ACCESS_TICKET_INVALID",
      "The ticket is unknown, was used before, or is older than 30 seconds. Make another one (createStreamTicket) for every stream that you open.",
    );
  return caller;
}
