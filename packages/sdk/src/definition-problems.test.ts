import { describe, expect, test } from "vitest";
import { definitionProblems } from "./definition-problems.js";
import { API_VERSION, FACET_NAMES, z } from "./index.js";

const work = async (): Promise<never> => Promise.reject(new Error("not called"));
const pages = async function* (): AsyncGenerator<never> {};
const webhook = { verify: () => ({ ok: true }), parse: () => [] };

/** A whole definition with every facet there is. */
const WHOLE: { readonly [name: string]: unknown } = {
  apiVersion: API_VERSION,
  id: "whole",
  version: "1.0.0",
  displayName: "Whole",
  docs: "https://example.com/whole",
  stability: "beta",
  config: z.object({ url: z.url() }),
  secrets: z.object({ token: z.string(), password: z.string() }).refine(({ token }) => token !== ""),
  configVersion: 2,
  migrate: (old: unknown) => old,
  egress: () => [],
  auth: () => undefined,
  classify: () => undefined,
  limits: { requestsPerSecond: 0.5, concurrency: 1 },
  close: work,
  check: work,
  streams: work,
  read: pages,
  listKeys: pages,
  write: { idempotency: "key", idempotencyOf: () => "none", maxBatch: 10_000, apply: work },
  push: { webhook: { ...webhook, handshake: () => undefined } },
  alerts: { pull: pages, webhook, acknowledge: work },
  tracker: { fields: work, whoAmI: work, create: work, update: work, find: work, changes: pages, webhook },
  calendar: { changes: pages, webhook, approve: work },
  downtime: { announce: work, withdraw: work, list: work },
  catalog: pages,
  reconcile: { count: work, keys: work, digest: work },
  rotate: { secrets: ["token", "password"], canIssue: () => true, canRevoke: () => true, issue: work, revoke: work },
  quota: work,
  notify: work,
};

const problemsOf = (definition: unknown) => definitionProblems(definition, API_VERSION, FACET_NAMES);
const without = (name: string, members: unknown) =>
  Object.fromEntries(Object.entries(members as object).filter(([member]) => member !== name));

describe("a definition", () => {
  test("with every facet and member there is has no problems", () => {
    expect(FACET_NAMES.filter((name) => WHOLE[name] === undefined)).toEqual([]);
    expect(problemsOf(WHOLE)).toEqual([]);
  });

  test.each(FACET_NAMES)("is enough with the one facet %s (and what that needs)", (facet) => {
    const needed = { listKeys: ["read"], rotate: ["check"] } as const;
    const kept = [facet, ...(Object.hasOwn(needed, facet) ? needed[facet as keyof typeof needed] : [])] as readonly string[];
    const names = Object.keys(WHOLE).filter((name) => !FACET_NAMES.some((one) => one === name) || kept.includes(name));
    expect(problemsOf(Object.fromEntries(names.map((name) => [name, WHOLE[name]])))).toEqual([]);
    if (kept.length > 1)
      expect(problemsOf(without(kept[1] ?? "", Object.fromEntries(names.map((name) => [name, WHOLE[name]]))))).toHaveLength(1);
  });

  test.each([...FACET_NAMES, "limits"])("is refused for a %s that is null, a text or a number", (facet) => {
    for (const bad of [null, "yes", 7]) {
      const problems = problemsOf({ ...WHOLE, [facet]: bad });
      expect(problems, String(bad)).toHaveLength(1);
      expect(problems[0]).toMatch(new RegExp(`^${facet}: found (?:null|"yes"|7), expected`, "u"));
    }
  });

  test("is refused when it is none", () => {
    for (const bad of [null, undefined, 7, "text"]) expect(problemsOf(bad)).toHaveLength(1);
  });
});

const NEEDED: readonly (readonly [facet: string, members: readonly string[]])[] = [
  ["push", ["webhook"]],
  ["tracker", ["fields", "whoAmI", "create", "update", "find"]],
  ["calendar", ["changes"]],
  ["downtime", ["announce", "withdraw", "list"]],
  ["rotate", ["secrets"]],
  ["write", ["idempotency", "maxBatch", "apply"]],
];
const OPTIONAL: readonly (readonly [facet: string, members: readonly string[]])[] = [
  ["alerts", ["pull", "webhook", "acknowledge"]],
  ["tracker", ["changes", "webhook"]],
  ["calendar", ["webhook", "approve"]],
  ["reconcile", ["count", "keys", "digest"]],
  ["rotate", ["canIssue", "canRevoke", "issue", "revoke"]],
  ["write", ["idempotencyOf"]],
];
const flat = (table: typeof NEEDED) => table.flatMap(([facet, members]) => members.map((member) => [facet, member] as const));

describe("the members of a facet", () => {
  test.each(flat(NEEDED))("%s.%s is needed", (facet, member) => {
    const problems = problemsOf({ ...WHOLE, [facet]: without(member, WHOLE[facet]) });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`${facet}.${member}: found nothing, expected`);
  });

  test.each(flat(OPTIONAL))("%s.%s is optional", (facet, member) => {
    expect(problemsOf({ ...WHOLE, [facet]: without(member, WHOLE[facet]) })).toEqual([]);
  });

  test.each([...flat(NEEDED), ...flat(OPTIONAL)])("%s.%s is not a truth value", (facet, member) => {
    const problems = problemsOf({ ...WHOLE, [facet]: { ...(WHOLE[facet] as object), [member]: true } });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`${facet}.${member}: found true`);
  });

  test.each(["alerts", "reconcile"])("%s without any of what it can do is refused", (facet) => {
    const [problem = "", ...others] = problemsOf({ ...WHOLE, [facet]: {} });
    expect(others).toEqual([]);
    expect(problem).toContain(`${facet}: found none of`);
  });

  test("alerts that can only acknowledge are refused", () => {
    expect(problemsOf({ ...WHOLE, alerts: { acknowledge: work } })).toEqual(["alerts: found none of pull, webhook, expected at least one"]);
  });

  test.each(["push", "alerts", "tracker", "calendar", "downtime", "reconcile", "rotate", "write", "limits"])(
    "%s with a member that it does not have is refused by its name",
    (facet) => {
      const problems = problemsOf({ ...WHOLE, [facet]: { ...(WHOLE[facet] as object), announcee: work } });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain(`${facet}.announcee: not a member of ${facet}, which has`);
    },
  );
});

describe("what types cannot say", () => {
  test.each(["push", "alerts", "tracker", "calendar"])("a webhook of %s verifies and parses", (facet) => {
    const of = (given: unknown) => problemsOf({ ...WHOLE, [facet]: { ...(WHOLE[facet] as object), webhook: given } });
    expect(of({ verify: webhook.verify })).toEqual([`${facet}.webhook.parse: found nothing, expected a function`]);
    expect(of({ parse: webhook.parse })).toEqual([`${facet}.webhook.verify: found nothing, expected a function`]);
    expect(of({ ...webhook, handshake: "hello" })).toEqual([`${facet}.webhook.handshake: found "hello", expected a function`]);
  });

  test("rotate names secrets that there are", () => {
    const of = (secrets: unknown) => problemsOf({ ...WHOLE, rotate: { secrets } });
    expect(of(["token", "pasword"])).toEqual(['rotate.secrets: found "pasword", expected names of secrets: token, password']);
    for (const bad of [[], "token", [7]]) expect(of(bad)).toHaveLength(1);
  });

  test.each([
    [{ requestsPerSecond: 0 }, "requestsPerSecond"],
    [{ requestsPerSecond: Number.POSITIVE_INFINITY }, "requestsPerSecond"],
    [{ requestsPerSecond: "5" }, "requestsPerSecond"],
    [{ concurrency: 0 }, "concurrency"],
    [{ concurrency: 1.5 }, "concurrency"],
  ])("limits of %j are refused", (limits, name) => {
    expect(problemsOf({ ...WHOLE, limits })).toEqual([expect.stringContaining(`limits.${name}: found`)]);
  });

  test.each([0, 1.5, 10_001, "10", undefined])("a write.maxBatch of %j is refused", (maxBatch) => {
    expect(problemsOf({ ...WHOLE, write: { ...(WHOLE["write"] as object), maxBatch } })).toEqual([
      expect.stringContaining("write.maxBatch"),
    ]);
  });

  test("a name or a stability in a list is not taken for a text", () => {
    expect(problemsOf({ ...WHOLE, stability: ["beta"] })).toHaveLength(1);
    expect(problemsOf({ ...WHOLE, write: { ...(WHOLE["write"] as object), idempotency: ["key"] } })).toHaveLength(1);
  });

  test("migrate is needed above the first version of the configuration, and a function at any", () => {
    expect(problemsOf(without("migrate", WHOLE))).toEqual([expect.stringContaining("because configVersion is 2")]);
    expect(problemsOf({ ...without("configVersion", WHOLE), migrate: "no" })).toEqual(['migrate: found "no", expected a function']);
  });
});
