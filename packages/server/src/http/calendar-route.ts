import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { DomainError, type ZoneData } from "@quiesce/core";
import { buildFeed } from "../calendars/build-feed.js";
import { hashFeedSecret } from "../calendars/feed-commands.js";
import { readFeed } from "../calendars/store.js";
import type { Database } from "../db/client.js";

/** Programs ask every hour, some every few minutes. */
const CACHE_CONTROL = "private, no-cache";

/**
 * `GET /calendars/<secret>.ics`: a feed, to whoever knows its address. An address that never was and one that was revoked get the same answer.
 * `takeStranger` is charged for those, `takeReader` for the feed; both throw QSC_HTTP_RATE_LIMITED.
 */
export async function serveCalendar(input: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly services: { readonly database: Database; readonly zones: ZoneData };
  readonly takeStranger: () => void;
  readonly takeReader: (feedId: number) => void;
}): Promise<void> {
  const { request, response, url, services } = input;
  if (request.method !== "GET" && request.method !== "HEAD")
    throw new DomainError("QSC_HTTP_METHOD", `This address takes GET, found ${request.method ?? "nothing"}.`);
  const hash = hashFeedSecret(/^\/calendars\/([^/]+)\.ics$/.exec(url.pathname)?.[1] ?? "");
  const feed = hash === null ? null : await readFeed(services.database.db, hash);
  if (feed === null) {
    input.takeStranger();
    throw new DomainError("QSC_CALENDAR_NOT_FOUND", "There is no calendar at this address. Ask whoever gave it to you for a new one.");
  }
  input.takeReader(feed.id);
  const text = await buildFeed(services, feed);
  const etag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 32)}"`;
  const headers = { etag, "cache-control": CACHE_CONTROL, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" };
  if (matches(request.headers["if-none-match"], etag)) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, {
    ...headers,
    "content-type": "text/calendar; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "content-disposition": 'inline; filename="windows.ics"',
  });
  response.end(request.method === "HEAD" ? undefined : text);
}

/** RFC 9110, section 13.1.2: a list, or *, compared weakly. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === etag);
}
