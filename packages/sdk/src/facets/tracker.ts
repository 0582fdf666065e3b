import type { Context } from "../context.js";
import type { JsonObject } from "../json.js";
import type { Cursor } from "../record.js";
import type { Severity } from "../vocabulary.js";
import type { Webhook } from "../webhook.js";

/** The states of a ticket here; the connector translates. @experimental */
export const TICKET_STATES = ["open", "acknowledged", "in_progress", "on_hold", "resolved", "closed"] as const;

/** One of {@link TICKET_STATES}. @experimental */
export type TicketState = (typeof TICKET_STATES)[number];

/** What a ticket says. @experimental */
export interface Ticket {
  readonly title: string;
  readonly body: string;
  readonly severity: Severity;
  readonly state: TicketState;
  readonly assignee?: string;
  /** The team or queue there. */
  readonly group?: string;
  /** Fields of that system, by the names that `fields` gives. */
  readonly fields?: JsonObject;
  /** Ours: two tickets never have the same. */
  readonly deduplicationKey: string;
}

/** A comment at the tracker. @experimental */
export interface TicketComment {
  readonly id: string;
  readonly by: string;
  /** ISO 8601 with an offset. */
  readonly at: string;
  readonly body: string;
  readonly public: boolean;
}

/** A ticket as it is there. @experimental */
export interface RemoteTicket {
  readonly id: string;
  /** What a later `update` hands back as `ifVersion`. */
  readonly version?: string;
  readonly url?: string;
  readonly ticket: Partial<Ticket>;
  /** ISO 8601 with an offset. */
  readonly updatedAt: string;
  readonly updatedBy?: string;
  readonly comments?: readonly TicketComment[];
}

/** A field of the tracker's form. @experimental */
export interface TicketField {
  readonly name: string;
  readonly type: "enum" | "text" | "user" | "date" | "number";
  readonly required: boolean;
  readonly values?: readonly { readonly id: string; readonly label: string }[];
}

/** What of a ticket is to change. @experimental */
export type TicketPatch = Partial<Omit<Ticket, "deduplicationKey">> & {
  readonly comment?: { readonly body: string; readonly public: boolean };
};

/** Tickets of one look. @experimental */
export interface TicketPage {
  readonly tickets: readonly RemoteTicket[];
  readonly cursor: Cursor;
  readonly more: boolean;
}

/** Keeping tickets at a tracker. @experimental */
export interface TrackerCapability<C, S> {
  /** The fields a ticket has there, so that a mapping is checked before the first ticket. */
  fields(x: Context<C, S>): Promise<readonly TicketField[]>;
  /** Who the credentials are there: what this one changes is no news. */
  whoAmI(x: Context<C, S>): Promise<string>;
  /** Makes a ticket. One with the same `deduplicationKey` that is there already is answered instead. */
  create(x: Context<C, S>, ticket: Ticket, request: { readonly idempotencyKey: string }): Promise<RemoteTicket>;
  /** Changes a ticket. Throws `conflict` if it is no longer `ifVersion`, and `invalid` with `field` for what the tracker does not allow. */
  update(
    x: Context<C, S>,
    id: string,
    patch: TicketPatch,
    request: { readonly ifVersion?: string; readonly idempotencyKey: string },
  ): Promise<RemoteTicket>;
  find(x: Context<C, S>, by: { readonly id: string } | { readonly deduplicationKey: string }): Promise<RemoteTicket | undefined>;
  /** Tickets touched since the cursor, without what the credentials themselves have changed. */
  changes?(x: Context<C, S>, request: { readonly cursor: Cursor | null }): AsyncIterable<TicketPage>;
  readonly webhook?: Webhook<C, S, readonly RemoteTicket[]>;
}

/** Keeping tickets at a tracker. @experimental */
export interface TrackerFacet<C, S> {
  readonly tracker?: TrackerCapability<C, S>;
}
