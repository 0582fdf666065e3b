import { type SQL, sql } from "drizzle-orm";

/** What of an address may be shown: of a webhook the origin, the rest may be secret; of a mail the whole. */
export function destinationOf(url: string): string {
  return url.startsWith("mailto:") ? url : new URL(url).origin;
}

/** The same in SQL, of a column. */
export function destinationSql(url: SQL): SQL {
  return sql`substring(${url} from '^(?:mailto:.*|[a-z]+://[^/?#]+)')`;
}

/** A mail's address as it is kept beside those of webhooks. */
export function mailUrl(to: string): string {
  return `mailto:${to}`;
}
