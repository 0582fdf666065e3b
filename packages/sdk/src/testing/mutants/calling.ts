import { ConnectorError, z } from "../../index.js";
import { exampleConnector } from "../example/example-connector.js";
import type { ExampleContext } from "../example/example-request.js";
import { asKind, mutant, own, without, type Mutant } from "./mutant.js";

const check = own(exampleConnector.check?.bind(exampleConnector));
const read = own(exampleConnector.read?.bind(exampleConnector));
const UP = { status: "up" } as const;

/** The platform's own fetch, past the host. */
async function bareFetch(x: ExampleContext, init: RequestInit): Promise<void> {
  const response = await fetch(`${x.config.url}/health`, { headers: { authorization: `Bearer ${x.secrets.token}` }, ...init });
  if (!response.ok) throw new ConnectorError("auth", "The system says no.");
  await response.text();
}

/** Faults of single calls. */
export const callingMutants: readonly Mutant[] = [
  mutant("check: check with wrong secrets is auth", "says that the system is up without asking", { check: async () => UP }),
  mutant("check: check with wrong secrets is auth", "says down where the credentials are refused", {
    check: async (x) => check(x).catch(() => ({ status: "down" as const })),
  }),
  mutant("check: check with wrong secrets is auth", "takes 401 for something that passes", {
    check: (x) => asKind(check(x), "auth", "transient"),
  }),
  mutant("check: check: 403 is permission", "takes 403 for wrong credentials", { check: (x) => asKind(check(x), "permission", "auth") }),
  mutant("check: check: 503 is unavailable", "takes 503 for a bad request", { check: (x) => asKind(check(x), "unavailable", "invalid") }),
  mutant("check: check: no answer in time is timeout", "takes a time limit for a fault of the network", {
    check: (x) => asKind(check(x), "timeout", "unavailable"),
  }),
  mutant("check: check: a page for people instead of JSON is contract", "lets JSON.parse throw", {
    check: async (x) => {
      const response = await x.fetch(`${x.config.url}/health`);
      if (!response.ok) return check(x);
      return { status: "up", version: String((JSON.parse(await response.text()) as { version?: unknown }).version) };
    },
  }),
  mutant("check: check: 503 with Retry-After says for how long", "forgets for how long the system asked to wait", {
    check: (x) => without(check(x), "retryAfterMs"),
  }),
  mutant("check: check: an error in the body is what it says (1, unavailable)", "does not look into a 200 for an error", {
    classify: () => undefined,
  }),
  mutant("check: a system that runs is up", "leaves a rejected promise to nobody", {
    check: async (x) => {
      void Promise.reject(new Error("nobody hears this"));
      return check(x);
    },
  }),
  mutant("cancel: check that is stopped before any answer ends at once", "ignores that it is told to stop", {
    check: async (x) => {
      await bareFetch(x, { redirect: "manual" });
      return UP;
    },
  }),
  mutant("cancel: check that is stopped before any answer ends at once", "answers as if nothing were when it is told to stop", {
    check: (x) =>
      check(x).catch((thrown: unknown) => (x.signal.aborted ? { status: "unknown" as const } : Promise.reject(thrown as Error))),
  }),
  mutant("cancel: check that is stopped in the middle of an answer ends at once", "takes being stopped for a time limit", {
    check: (x) => asKind(check(x), "cancelled", "timeout"),
  }),
  mutant("cancel: check that is stopped before any answer ends at once", "waits a while before it stops", {
    check: (x) =>
      check(x).catch(async (thrown: unknown) => {
        if (x.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5_000).unref());
        throw thrown;
      }),
  }),
  mutant("cancel: check leaves nothing open when it has ended", "leaves a timer running", {
    check: async (x) => {
      const timer = setInterval(() => undefined, 50);
      // So that the process of the test ends some day.
      setTimeout(() => clearInterval(timer), 5_000).unref();
      return check(x);
    },
  }),
  mutant("limits: check: 429 with retry-after: Fri, 20 Nov 2026 08:00:42 GMT", "reads Retry-After as seconds only", {
    check: async (x) => {
      const response = await x.fetch(`${x.config.url}/health`);
      if (response.status !== 429) return check(x);
      const seconds = Number(response.headers.get("retry-after") ?? "60");
      throw new ConnectorError("rate_limited", "Slower.", { retryAfterMs: Number.isNaN(seconds) ? 60_000 : seconds * 1000 });
    },
  }),
  mutant("limits: check: 429 with x-ratelimit-reset: 1795161660", "takes an instant for a number of seconds", {
    check: async (x) => {
      const response = await x.fetch(`${x.config.url}/health`);
      const reset = response.headers.get("x-ratelimit-reset");
      if (response.status !== 429 || reset === null) return check(x);
      throw new ConnectorError("rate_limited", "Slower.", { retryAfterMs: Number(reset) * 1000 });
    },
  }),
  mutant("egress: check asks through x.fetch only", "asks past the host", {
    check: async (x) => {
      await bareFetch(x, { signal: x.signal, redirect: "manual" });
      return UP;
    },
  }),
  mutant("egress: check does not follow a redirect to another origin", "follows a redirect elsewhere", {
    check: async (x) => {
      const result = await check(x).catch((thrown: unknown) => thrown as Error);
      await bareFetch(x, { signal: x.signal, redirect: "follow" });
      if (result instanceof Error) throw result;
      return result;
    },
  }),
  mutant("egress: read refuses 64 MiB packed into 64 KiB", "reads an answer of any size", {
    check: async (x) => {
      const text = await (
        await fetch(`${x.config.url}/health`, { signal: x.signal, headers: { authorization: `Bearer ${x.secrets.token}` } })
      ).text();
      if (text.length > 1e9) throw new ConnectorError("contract", "Too large.");
      return UP;
    },
    read: async function* (x, request) {
      const url = `${x.config.url}/orders`;
      const text = await (await fetch(url, { signal: x.signal, headers: { authorization: `Bearer ${x.secrets.token}` } })).text();
      if (text.length < 1e6) yield* read(x, request);
      else yield { records: [], cursor: {}, more: false };
    },
  }),
  mutant("manifest: no secret is asked for in the configuration", "asks for a password in the configuration", {
    config: z.object({ url: z.url(), pageSize: z.int().default(50), password: z.string().optional() }),
    toManifest: () => {
      const manifest = exampleConnector.toManifest();
      return {
        ...manifest,
        config: {
          type: "object",
          properties: { url: { type: "string" }, login: { type: "object", properties: { password: { type: "string" } } } },
        },
      };
    },
  }),
  mutant("manifest: egress names origins, the system's among them", "may reach everything", { egress: () => ["https://*.example.com"] }),
  mutant("manifest: egress names origins, the system's among them", "may not reach its own system", {
    egress: () => ["https://example.com"],
  }),
  mutant("manifest: a good configuration is taken, and bad ones are refused", "takes any configuration", {
    config: z.object({ url: z.any(), pageSize: z.any().optional() }) as unknown as typeof exampleConnector.config,
  }),
  mutant("manifest: close bears a second call", "cannot be closed twice", { close: closingOnce() }),
  mutant("migration: a configuration of version 1 becomes one of version 2", "loses a setting of the older version", {
    migrate: () => ({}),
  }),
  mutant("migration: a configuration of version 1 becomes one of version 2", "changes what it is given", {
    migrate: (old) => {
      const given = old as { address?: string; url?: string };
      Object.assign(given, { url: given.address });
      return { url: given.url ?? "" };
    },
  }),
];

function closingOnce(): () => Promise<void> {
  let closed = false;
  return async () => {
    if (closed) throw new ConnectorError("bug", "It is closed.");
    closed = true;
  };
}
