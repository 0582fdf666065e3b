import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { DomainError, returnPath } from "@quiesce/core";
import { authenticateSession } from "../access/authenticate.js";
import type { FailureLocks } from "../access/failure-locks.js";
import type { IdentityProvider } from "../access/oidc/identity-provider.js";
import { attemptLifetimeSeconds, beginAttempt, finishAttempt } from "../access/oidc/sign-in-attempts.js";
import { signInPerson } from "../access/oidc/sign-in-person.js";
import { endSessionOfSecret, type NewSession, type SessionLimits } from "../access/sessions.js";
import { redeemSignInLink } from "../access/sign-in-links.js";
import type { Database } from "../db/client.js";
import { presentError } from "../graphql/present-error.js";
import type { Log } from "../log.js";
import { requireJson, requireMethod } from "./gate-routes.js";
import { readJsonObject } from "./read-body.js";
import { secondsOf, sendJson, statusOf } from "./respond.js";
import type { OwnAddress } from "./session-cookie.js";
import { linkPage, offerPage, refusalPage, type SignInPage } from "./sign-in-pages.js";

const CALLBACK_PATH = "/auth/oidc/callback";

export interface SignInServices {
  readonly database: Database;
  readonly log: Log;
  readonly own: OwnAddress;
  readonly locks: FailureLocks;
  readonly limits: SessionLimits;
  /** null: people sign in by links alone. */
  readonly provider: IdentityProvider | null;
  readonly afterWrite?: (() => void) | undefined;
  /** Where somebody goes who did not say. */
  readonly startPath: string;
  readonly groupOf: (request: IncomingMessage) => string;
}

interface SignInRequest {
  readonly services: SignInServices;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

/**
 * The pages and addresses of the sign-in: `GET /auth/sign-in`, `GET /auth/options` (what the dashboard offers), `GET /auth/oidc/start` and `/auth/oidc/callback`, `GET` and `POST /auth/link`,
 * `POST /auth/sign-out`. Pages answer refusals as pages.
 */
export async function serveSignIn(input: SignInRequest): Promise<void> {
  const { request, url } = input;
  switch (url.pathname) {
    case "/auth/link":
      if (request.method === "POST") return enterByLink(input);
      return servePage(input, () => Promise.resolve(linkPage()));
    case "/auth/sign-out":
      requireMethod(request, "POST");
      return signOut(input);
    case "/auth/options":
      requireMethod(request, "GET");
      return sendJson(input.response, 200, { provider: providerHost(input.services) });
    case "/auth/sign-in":
      return servePage(input, () => offer(input));
    case "/auth/oidc/start":
      return servePage(input, () => start(input));
    case CALLBACK_PATH:
      return servePage(input, () => comeBack(input));
    default:
      throw new DomainError("QSC_HTTP_NOT_FOUND", "There is no such address. People sign in at /auth/sign-in.");
  }
}

/** Answers with a page; with null the answer is a redirect that was made. */
async function servePage({ services, request, response }: SignInRequest, make: () => Promise<SignInPage | null>): Promise<void> {
  try {
    requireMethod(request, "GET");
    const page = await make();
    if (page !== null) sendPage(response, 200, page);
  } catch (error) {
    const { code, message, details } = presentError(error, services.log);
    const status = statusOf(code);
    if (status === 429) response.setHeader("retry-after", secondsOf(details?.["retryAfterSeconds"]));
    sendPage(response, status, refusalPage({ code, message }));
  }
}

async function offer({ services, request, url }: SignInRequest): Promise<SignInPage> {
  const secret = services.own.read(request, "session");
  // Whoever is signed in sees it; a session that is over is none.
  const caller = secret === null ? null : await authenticateSession(services.database, secret).catch(nothingWhenRefused);
  return offerPage({
    provider: providerHost(services),
    returnTo: returnPath(url.searchParams.get("returnTo"), services.startPath),
    name: caller?.principal.name ?? null,
  });
}

function providerHost({ provider }: SignInServices): string | null {
  return provider === null ? null : new URL(provider.settings.issuer).host;
}

async function start({ services, request, response, url }: SignInRequest): Promise<null> {
  const { own, locks, database } = services;
  const provider = providerOf(services);
  const origin = originOf(services, request);
  locks.check("sign-in", { address: services.groupOf(request), shown: null });
  const { secret, keys } = await beginAttempt(database, returnPath(url.searchParams.get("returnTo"), services.startPath));
  const target = await provider.begin(keys, `${origin}${CALLBACK_PATH}`);
  own.set(response, "sign-in", { value: secret, maxAgeSeconds: attemptLifetimeSeconds });
  redirect(response, target.href);
  return null;
}

async function comeBack({ services, request, response, url }: SignInRequest): Promise<null> {
  const { own, database, limits } = services;
  const provider = providerOf(services);
  const callback = new URL(`${originOf(services, request)}${CALLBACK_PATH}${url.search}`);
  const attempt = own.read(request, "sign-in");
  const { session, returnTo } = await attempted(services, request, attempt === null ? null : digest(attempt), async () => {
    const { keys, returnTo: wanted } = await finishAttempt(database, attempt, url.searchParams.get("state"));
    const claims = await provider.finish(keys, callback);
    const begun = await attempted(services, request, digest(`${claims.iss} ${claims.sub}`), () =>
      signInPerson({ database, limits }, { claims, settings: provider.settings, browser: request.headers["user-agent"] }),
    );
    return { session: begun, returnTo: wanted };
  });
  own.set(response, "sign-in", null);
  await putSession(services, { request, response, session });
  redirect(response, returnTo);
  return null;
}

async function enterByLink({ services, request, response }: SignInRequest): Promise<void> {
  const { database, limits } = services;
  requireOwnPage(services, request);
  requireJson(request);
  originOf(services, request);
  const { secret } = await readJsonObject(request);
  const text = typeof secret === "string" ? secret : "";
  const session = await attempted(services, request, digest(text), () =>
    redeemSignInLink({ database, limits }, { secret: text, browser: request.headers["user-agent"] }),
  );
  await putSession(services, { request, response, session });
  sendJson(response, 200, { returnTo: services.startPath });
}

async function signOut({ services, request, response }: SignInRequest): Promise<void> {
  const { own, database, afterWrite } = services;
  requireOwnPage(services, request);
  const secret = own.read(request, "session");
  if (secret !== null) await endSessionOfSecret(database, secret);
  afterWrite?.();
  own.set(response, "session", null);
  response.writeHead(204).end();
}

/** Tries something that proves who somebody is; failures are counted, and those who failed too often are not looked at. */
async function attempted<T>(
  services: SignInServices,
  request: IncomingMessage,
  shown: string | null,
  attempt: () => Promise<T>,
): Promise<T> {
  const { locks } = services;
  const suspect = { address: services.groupOf(request), shown };
  locks.check("sign-in", suspect);
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof DomainError && !counted.has(error)) {
      counted.add(error);
      // Whose fault a silent provider is, nobody knows.
      if (error.code !== "QSC_ACCESS_LOCKED" && error.code !== "QSC_ACCESS_OIDC_UNAVAILABLE") locks.failed("sign-in", suspect, error.code);
    }
    throw error;
  }
}

/** A failure of a person within a callback is one failure. */
const counted = new WeakSet<DomainError>();

/** The old session of the browser ends where a new one begins: nobody goes on under another's name without seeing it. */
async function putSession(
  services: SignInServices,
  { request, response, session }: { readonly request: IncomingMessage; readonly response: ServerResponse; readonly session: NewSession },
): Promise<void> {
  const { own, database, afterWrite, limits } = services;
  const before = own.read(request, "session");
  if (before !== null) await endSessionOfSecret(database, before);
  own.set(response, "session", { value: session.secret, maxAgeSeconds: limits.lifetimeSeconds });
  afterWrite?.();
}

function providerOf({ provider }: SignInServices): IdentityProvider {
  if (provider === null)
    throw new DomainError("QSC_HTTP_NOT_FOUND", "No identity provider is set up here (QUIESCE_OIDC_ISSUER). Sign in by a link.");
  return provider;
}

function originOf({ own }: SignInServices, request: IncomingMessage): string {
  const origin = own.originOf(request);
  if (origin === null)
    throw new DomainError(
      "QSC_ACCESS_SIGN_IN_PLACE",
      "A session would travel over plain http here. Put a proxy with https before this server and tell it the address (QUIESCE_PUBLIC_URL), or sign in on its own machine at http://127.0.0.1.",
    );
  return origin;
}

function requireOwnPage({ own }: SignInServices, request: IncomingMessage): void {
  if (!own.isOwnPage(request))
    throw new DomainError(
      "QSC_ACCESS_CROSS_SITE",
      "This request does not come from a page of this server. (Behind a proxy: is QUIESCE_PUBLIC_URL the address in the browser?)",
    );
}

function digest(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("base64url");
}

function nothingWhenRefused(error: unknown): null {
  if (error instanceof DomainError) return null;
  throw error;
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location, "cache-control": "no-store" }).end();
}

function sendPage(response: ServerResponse, status: number, { html, policy }: SignInPage): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-length": Buffer.byteLength(html),
    "content-security-policy": policy,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  });
  response.end(html);
}
