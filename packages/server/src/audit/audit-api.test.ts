import { randomBytes } from "node:crypto";
import type { SignedHead } from "@quiesce/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { applyWorkspace } from "../catalog/commands.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { checkChain } from "./check-chain.js";
import { followAudit } from "./follow-audit.js";
import { publishHead, signedHead } from "./publish-head.js";
import { recordAudit } from "./record-audit.js";
import { sealAll } from "./seal-entries.js";
import { isSignedAsSaid, signHead } from "./signing-key.js";

let api: StartedApi;
const keys = { current: masterKeyOf(randomBytes(32)), previous: [] };
const secret = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
beforeAll(async () => {
  api = await startApi();
  const hook = (path: string, events: readonly string[]) => ({
    url: `https://hooks.example.com/${path}`,
    secret: { value: secret },
    events,
  });
  const teams = [{ key: "auditors", webhooks: [hook("heads", ["audit.head"]), hook("all", ["audit.*"]), hook("windows", ["window.*"])] }];
  await applyWorkspace({ ...api.context, keys }, { quiesce: 1, teams });
  await sealAll(api);
});
afterAll(async () => {
  await api.stop();
});

const codesOf = ({ errors }: Awaited<ReturnType<StartedApi["ask"]>>) => errors?.map(({ extensions }) => extensions.code);

describe("the rights", () => {
  it.each([
    "{ audit { nodes { key } } }",
    "{ auditVerification { checked } }",
    "{ auditHead { position } }",
    "{ auditHashes(positions: [1]) { hash } }",
    "{ auditExport { entries } }",
  ])("%s is for auditors, approvers and admins, and for nobody else", async (query) => {
    for (const role of ["viewer", "operator", "connector-author"] as const)
      expect(codesOf(await api.ask(query, {}, api.tokens[role])), role).toEqual(["QSC_ACCESS_DENIED"]);
    for (const role of ["auditor", "approver", "admin"] as const)
      expect((await api.ask(query, {}, api.tokens[role])).errors, role).toBeUndefined();
  });

  it("to erase is an admin's alone", async () => {
    const erase = 'mutation { eraseAuditPersonal(input: { actor: "token:test-viewer", reason: "r" }) { values } }';
    for (const role of ["viewer", "operator", "connector-author", "auditor", "approver"] as const)
      expect(codesOf(await api.ask(erase, {}, api.tokens[role])), role).toEqual(["QSC_ACCESS_DENIED"]);
    // The name stands in the entry of the token and in that of its account.
    expect((await api.ask(erase)).data?.["eraseAuditPersonal"]).toEqual({ values: 2 });
  });
});

describe("the trail over GraphQL", () => {
  it("is checked in pages from the first to the last entry", async () => {
    await sealAll(api);
    const query = `query ($after: AuditPlaceInput) {
      auditVerification(after: $after, first: 4) { checked place { position hash } problems { kind } isEnd sealed unsealed }
    }`;
    let after: unknown = null;
    let checked = 0;
    for (let isEnd = false; !isEnd;) {
      const { data, errors } = await api.ask(query, { after });
      expect(errors).toBeUndefined();
      const page = data?.["auditVerification"] as { checked: number; place: unknown; problems: unknown[]; isEnd: boolean; sealed: number };
      expect(page.problems).toEqual([]);
      checked += page.checked;
      ({ isEnd } = page);
      after = page.place;
      if (isEnd) expect(checked).toBe(page.sealed);
    }
    expect(checked).toBeGreaterThan(8);
    expect(codesOf(await api.ask(query, { after: { position: 1, hash: "x" } }))).toEqual(["QSC_AUDIT_PLACE"]);
    expect(codesOf(await api.ask("{ auditVerification(first: 5001) { checked } }"))).toEqual(["QSC_GRAPHQL_PAGE_SIZE"]);
    expect(codesOf(await api.ask("{ auditExport(first: 501) { isEnd } }"))).toEqual(["QSC_GRAPHQL_PAGE_SIZE"]);
  });

  it("is found by subject, actor, action and time, in pages", async () => {
    const query = `query ($after: String, $filter: AuditFilter) {
      audit(first: 2, after: $after, filter: $filter) { totalCount nodes { key at } pageInfo { hasNextPage endCursor } }
    }`;
    const filter = { subjectKind: "token", actor: "system:quiesce", action: "token.create", from: "2020-01-01T00:00:00Z" };
    const keysFound: string[] = [];
    let after: unknown = null;
    for (let more = true; more;) {
      const page = (await api.ask(query, { after, filter })).data?.["audit"] as {
        totalCount: number;
        nodes: { key: string }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
      };
      expect(page.totalCount).toBe(6);
      keysFound.push(...page.nodes.map(({ key }) => key));
      ({ hasNextPage: more, endCursor: after } = page.pageInfo);
    }
    expect(keysFound).toEqual([...new Set(keysFound)].toSorted((a, b) => Number(b) - Number(a)));
    expect(keysFound).toHaveLength(6);
    expect((await api.ask(query, { filter: { ...filter, to: "2020-01-02T00:00:00Z" } })).data?.["audit"]).toMatchObject({ totalCount: 0 });
  });
});

describe("a signed head", () => {
  const head = { position: 7, hash: "a".repeat(64), sealedAt: "2026-11-20T18:00:00.000Z", epoch: "e" };

  it("fits its key, and nothing that was changed does", () => {
    const signed = signHead(keys.current, head);
    expect(isSignedAsSaid(signed)).toBe(true);
    const other = signHead(masterKeyOf(randomBytes(32)), head);
    const changed: readonly SignedHead[] = [
      { ...signed, position: 8 },
      { ...signed, hash: "b".repeat(64) },
      { ...signed, sealedAt: "2026-11-20T18:00:01.000Z" },
      { ...signed, epoch: "f" },
      { ...signed, publicKey: other.publicKey },
      { ...signed, keyId: other.keyId },
      { ...signed, signature: other.signature },
      { ...signed, publicKey: "" },
    ];
    expect(changed.filter(isSignedAsSaid)).toEqual([]);
    expect(other.publicKey).not.toBe(signed.publicKey);
  });

  it("is sent once in its time, by one of several servers, to the webhooks that name it", async () => {
    const context = { database: api.database, keys };
    const published = await Promise.all(Array.from({ length: 4 }, () => publishHead(context, 3_600_000)));
    expect(published.filter(Boolean)).toHaveLength(1);
    const sent = await api.database.sql<{ url: string; payload: { type: string; data: SignedHead } }[]>`
      select k.url, x.payload from outbox as x join team_webhook as k on k.id = x.webhook_id where x.kind = 'audit.head' order by k.url`;
    expect(sent.map(({ url }) => url)).toEqual(["https://hooks.example.com/all", "https://hooks.example.com/heads"]);
    expect(sent.map(({ payload }) => payload.data)).toEqual([await signedHead(context), await signedHead(context)]);
    expect(sent.map(({ payload }) => isSignedAsSaid(payload.data))).toEqual([true, true]);
    await api.ask('mutation { setRetention(input: { runDays: 700, reason: "r" }) { mode } }');
    await sealAll(api);
    expect(await publishHead(context, 3_600_000)).toBe(false);
    expect(await publishHead(context, 0)).toBe(true);
    expect(await publishHead(context, 0)).toBe(false);
  });
});

describe("servers that follow the trail", () => {
  it("seal what is written within seconds, also while the database's clock is not trusted, and two of them do no harm", async () => {
    await api.database.sql`update control set clock_stepped_at = app_now(), clock_step = '{"byMs": 5000, "server": "a"}'`;
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const stops = [1, 2].map(() => followAudit({ database: api.database, keys, log }, { headEveryMs: 3_600_000 }));
    try {
      for (let n = 0; n < 20; n += 1)
        await api.context.database.db.transaction((tx) =>
          recordAudit(tx, { actor: api.context.actor, action: "x.y", subjectKind: "x", subjectKey: String(n), after: { n } }),
        );
      const waiting = () => api.database.sql`select from audit_entry where position is null`;
      await vi.waitFor(async () => expect(await waiting()).toHaveLength(0), { timeout: 60_000 });
    } finally {
      await Promise.all(stops.map((stop) => stop()));
    }
    expect(await checkChain(api)).toEqual({ broken: null, isNews: false });
  });
});

describe("a broken trail", () => {
  it("is told to the webhooks that name audit.*, once", async () => {
    await api.database.sql.begin(async (tx) => {
      await tx`set local session_replication_role = replica`;
      await tx`update audit_entry set action = 'x' where position = 2`;
    });
    for (let look = 0; look < 3; look += 1) await checkChain(api);
    const told = await api.database.sql<{ url: string; position: number }[]>`
      select k.url, (x.payload -> 'data' ->> 'position')::integer as position from outbox as x join team_webhook as k on k.id = x.webhook_id where x.kind = 'audit.broken'`;
    expect([...told]).toEqual([{ url: "https://hooks.example.com/all", position: 2 }]);
  });
});
