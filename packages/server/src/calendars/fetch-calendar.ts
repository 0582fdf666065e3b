import { DomainError } from "@quiesce/core";
import { ConnectorError } from "@quiesce/sdk";
import { createEgress } from "../connector-host/guarded-fetch.js";
import { createSecretMask } from "../connector-host/secret-mask.js";
import { CALENDAR_MAX_BYTES } from "./ical-text.js";

const TIMEOUT_MS = 30_000;

/** What a server said about the calendar that it gave, so that it need not give it again. */
export interface Validators {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

export type FetchedCalendar = { readonly kind: "same" } | ({ readonly kind: "new"; readonly text: string } & Validators);

/** An address of a calendar. webcal: is https: by another name. Throws QSC_CALENDAR_URL. */
export function calendarUrl(text: string): URL {
  const address = text.trim().replace(/^webcals?:/i, "https:");
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    // The address may hold a secret: it is not repeated.
    throw new DomainError("QSC_CALENDAR_URL", "This is no address of a calendar. Expected https://host/path, or webcal:.", {
      field: "url",
    });
  }
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    throw new DomainError(
      "QSC_CALENDAR_URL",
      "The user name or the password in the address holds a % that begins no character. Write it as %25.",
      {
        field: "url",
      },
    );
  }
  return url;
}

/** What is wrong with a value as a calendar's address; undefined when nothing is. The value is not repeated. */
export function calendarUrlProblem(text: string): string | undefined {
  try {
    calendarUrl(text);
    return undefined;
  } catch (error) {
    if (error instanceof DomainError) return error.message;
    throw error;
  }
}

/**
 * Fetches a calendar by the rules of every outgoing request: no addresses inside the machine's own network of links, no redirects to other origins,
 * 30 seconds, 5 MiB. Throws QSC_CALENDAR_FETCH_FAILED or QSC_CALENDAR_TOO_LARGE, without what of the address is secret.
 */
export async function fetchCalendar(
  url: URL,
  options: { readonly validators: Validators; readonly signal: AbortSignal; readonly privateHosts?: readonly string[] },
): Promise<FetchedCalendar> {
  const target = new URL(url);
  const { username, password } = target;
  target.username = "";
  target.password = "";
  const mask = createSecretMask();
  mask.add([url.href, target.href, `${target.pathname}${target.search}`, target.search, password].filter((text) => text.length > 3));
  const egress = createEgress({ privateHosts: options.privateHosts ?? [] });
  try {
    const fetch = egress.fetchFor({ origins: [target.origin], signal: options.signal, mask });
    const { etag, lastModified } = options.validators;
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    const response = await fetch(target, {
      headers: {
        accept: "text/calendar, */*;q=0.5",
        ...(etag === null ? {} : { "if-none-match": etag }),
        ...(lastModified === null ? {} : { "if-modified-since": lastModified }),
        ...(username === "" ? {} : { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` }),
      },
      timeoutMs: TIMEOUT_MS,
      signal: options.signal,
    });
    if (response.status === 304) return { kind: "same" };
    if (response.status !== 200) {
      await response.body?.cancel();
      throw failed(`${target.host} answered with HTTP ${response.status}`);
    }
    const text = await readText(response);
    return { kind: "new", text, etag: response.headers.get("etag"), lastModified: response.headers.get("last-modified") };
  } catch (error) {
    if (error instanceof ConnectorError) throw failed(mask.text(error.message));
    throw error;
  } finally {
    await egress.close();
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > CALENDAR_MAX_BYTES) {
      throw new DomainError(
        "QSC_CALENDAR_TOO_LARGE",
        `The calendar has more than ${CALENDAR_MAX_BYTES / 1024 / 1024} MiB. Ask its owner for one of the coming months alone.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function failed(found: string): DomainError {
  return new DomainError(
    "QSC_CALENDAR_FETCH_FAILED",
    `The calendar could not be fetched: ${found.replace(/\.$/, "")}. Check its address, and that this server may reach it.`,
  );
}
