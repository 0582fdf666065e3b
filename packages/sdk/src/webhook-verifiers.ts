import { createHmac, timingSafeEqual } from "node:crypto";
import { ConnectorError } from "./error.js";
import type { WebhookRequest, WebhookVerdict } from "./webhook.js";

/** Looks at one request with the secrets that are good now: during a rotation the old one and the new one. @experimental */
export type WebhookVerifier = (request: WebhookRequest, secrets: readonly string[], now: Date) => WebhookVerdict;

/** A signature's scheme, as systems document theirs. @experimental */
export interface HmacScheme {
  /** The header that carries the signature; case does not matter. */
  readonly header: string;
  /** What stands before the signature: `sha256=`, `v1=`, `v0=`. Nothing if absent. */
  readonly prefix?: string;
  readonly encoding: "hex" | "base64";
  /** `sha256` if absent. */
  readonly hash?: "sha256" | "sha1" | "sha512";
  /** What separates several signatures in the header while the system rotates its secret. One signature if absent. */
  readonly separator?: "," | " ";
  /** The header with the time of sending in epoch seconds, where it is signed: needs `signed`, or a stranger could send an old request as a new one. */
  readonly timestampHeader?: string;
  /** What is signed beside the body; the body alone if absent. */
  readonly signed?: (parts: { readonly timestamp: string; readonly header: (name: string) => string }) => string;
  /** The header with the delivery's own id. */
  readonly deliveryHeader?: string;
}

/** The largest number of signatures that are looked at. */
const MAX_SIGNATURES = 10;

/**
 * HMAC over the raw body, compared in constant time. `signed` gives what stands before the body under the signature: Slack's is
 * `({ timestamp }) => "v0:" + timestamp + ":"`. Throws a ConnectorError of kind `bug` for a time that is not signed.
 * @experimental
 */
export function hmac(scheme: HmacScheme): WebhookVerifier {
  if (scheme.timestampHeader !== undefined && scheme.signed === undefined) {
    throw new ConnectorError(
      "bug",
      `hmac: found timestampHeader "${scheme.timestampHeader}" without signed, expected a function that puts the time under the signature`,
    );
  }
  return (request, secrets) => {
    const header = (name: string): string => request.headers[name.toLowerCase()] ?? "";
    const given = header(scheme.header);
    if (given === "") return refused(`the header ${scheme.header} is missing`);
    const timestamp = scheme.timestampHeader === undefined ? undefined : header(scheme.timestampHeader);
    const sentAt = timestamp === undefined ? undefined : epochSeconds(timestamp);
    if (timestamp !== undefined && sentAt === undefined)
      return refused(`the header ${scheme.timestampHeader} is not a time in epoch seconds`);
    const before = scheme.signed?.({ timestamp: timestamp ?? "", header }) ?? "";
    const candidates = (scheme.separator === undefined ? [given] : given.split(scheme.separator))
      .slice(0, MAX_SIGNATURES)
      .map((candidate) => candidate.trim())
      .filter((candidate) => candidate.startsWith(scheme.prefix ?? ""))
      .map((candidate) => candidate.slice((scheme.prefix ?? "").length));
    const algorithm = scheme.hash ?? "sha256";
    const good = secrets.filter(isKey).some((secret) => {
      const expected = createHmac(algorithm, secret).update(before).update(request.body).digest(scheme.encoding);
      return candidates.some((candidate) => equal(scheme.encoding === "hex" ? candidate.toLowerCase() : candidate, expected));
    });
    if (!good) return refused(`the signature in ${scheme.header} does not belong to this body and secret`);
    const deliveryId = scheme.deliveryHeader === undefined ? "" : header(scheme.deliveryHeader);
    return { ok: true, ...(deliveryId === "" ? {} : { deliveryId }), ...(sentAt === undefined ? {} : { sentAt }) };
  };
}

/** Standard Webhooks (https://www.standardwebhooks.com): `webhook-id`, `webhook-timestamp`, `webhook-signature`; a secret is base64, `whsec_` before it or not. @experimental */
export function standardWebhooks(): WebhookVerifier {
  return (request, secrets) => {
    const { "webhook-id": id = "", "webhook-timestamp": timestamp = "", "webhook-signature": given = "" } = request.headers;
    if (id === "" || timestamp === "" || given === "")
      return refused("one of the headers webhook-id, webhook-timestamp and webhook-signature is missing");
    const sentAt = epochSeconds(timestamp);
    if (sentAt === undefined) return refused("the header webhook-timestamp is not a time in epoch seconds");
    const candidates = given
      .split(" ")
      .slice(0, MAX_SIGNATURES)
      .filter((candidate) => candidate.startsWith("v1,"))
      .map((candidate) => candidate.slice(3));
    const keys = secrets.map((secret) => Buffer.from(secret.replace(/^whsec_/u, ""), "base64"));
    const good = keys.filter(isKey).some((key) => {
      const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(request.body).digest("base64");
      return candidates.some((candidate) => equal(candidate, expected));
    });
    return good ? { ok: true, deliveryId: id, sentAt } : refused("no signature in webhook-signature belongs to this body and secret");
  };
}

/** `Authorization: Bearer <secret>`, or the secret in a header of the system's choice. For systems that sign nothing; a repetition is known as long as nothing else has come after it. @experimental */
export function bearer(options: { readonly header?: string } = {}): WebhookVerifier {
  return (request, secrets) => {
    const name = (options.header ?? "authorization").toLowerCase();
    const given = request.headers[name] ?? "";
    if (given === "") return refused(`the header ${name} is missing`);
    const token = options.header === undefined ? (/^bearer +(.+)$/iu.exec(given)?.[1] ?? "") : given;
    return secrets.some((secret) => equal(token, secret)) ? { ok: true } : refused(`the header ${name} does not carry the secret`);
  };
}

/** HTTP Basic (RFC 7617). Each secret is `user:password`. @experimental */
export function basicAuth(): WebhookVerifier {
  return (request, secrets) => {
    const given = /^basic +([A-Za-z0-9+/=]+)$/iu.exec(request.headers["authorization"] ?? "")?.[1];
    if (given === undefined) return refused("the header authorization does not carry Basic credentials");
    const pair = Buffer.from(given, "base64").toString("utf8");
    return secrets.some((secret) => equal(pair, secret)) ? { ok: true } : refused("user or password are wrong");
  };
}

/** In the time that its longer part takes, wherever they differ. */
function equal(given: string, expected: string): boolean {
  const left = createHmac("sha256", COMPARE).update(given).digest();
  const right = createHmac("sha256", COMPARE).update(expected).digest();
  return expected !== "" && timingSafeEqual(left, right);
}

/** Both sides are hashed, so that texts of different lengths can be compared; the key need not be secret. */
const COMPARE = "quiesce";

/** Anybody can sign with an empty key. */
function isKey(key: string | Uint8Array): boolean {
  return key.length > 0;
}

function epochSeconds(text: string): Date | undefined {
  return /^\d{9,11}$/u.test(text) ? new Date(Number(text) * 1000) : undefined;
}

function refused(why: string): WebhookVerdict {
  return { ok: false, why };
}
