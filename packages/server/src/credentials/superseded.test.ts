import pino from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FIRST_TOKEN, tokenSystem, type TokenSystem } from "../../../../test/credentials/token-system.js";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { issueCertificate, makeAuthority } from "../../../../test/tls/certificates.js";
import { applyWorkspace, exportWorkspace } from "../catalog/commands.js";
import { warnOfCredentials } from "./plan-rotations.js";
import { requestRotation, stageCredential } from "./rotation-commands.js";
import { runRotationStep } from "./run-rotation-step.js";

const never = new AbortController().signal;
const day = 86_400_000;

let system: TokenSystem;
let bench: PipelineBench;
let time: ControlledTime;

const context = () => ({ ...bench.context, keys: bench.keys, calls: bench.host.rotation, log: pino({ level: "silent" }), signal: never });

beforeAll(async () => {
  system = tokenSystem();
  bench = await pipelineBench({ source: { connector: system.connector, secrets: { token: FIRST_TOKEN } }, target: memoryTarget() });
  time = await controlTime(bench.database.sql);
});
afterAll(() => bench.close());

const document = (token: string, more: object = {}) => ({
  quiesce: 1,
  systems: [{ key: "erp", ownerTeam: "crew" }],
  teams: [
    { key: "crew", webhooks: [{ url: "http://127.0.0.1:9/hook", secret: { value: `whsec_${Buffer.alloc(32, 7).toString("base64")}` } }] },
  ],
  endpoints: [
    { key: "source", name: "source", system: "erp", connector: "tokens", secrets: { token: { value: token, env: "TOKEN" } }, ...more },
  ],
});
const apply = (token: string, more: object = {}) => applyWorkspace({ ...bench.context, keys: bench.keys }, document(token, more));

beforeEach(async () => {
  system.reset();
  await bench.database.sql`delete from credential_rotation`;
  await bench.database.sql`delete from credential`;
  await apply("another-token-canary-1");
  await apply(FIRST_TOKEN);
  await bench.database.sql`delete from outbox`;
});

async function step(state: string): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    const [row] = await bench.database.sql<{ state: string }[]>`select state from credential_rotation order by begun_at desc limit 1`;
    if (row?.state === state) return;
    if (!(await runRotationStep(context()))) await time.advance(30_000);
  }
  throw new Error(`It never was ${state}.`);
}
const last = async () =>
  (
    await bench.database.sql<
      { state: string; problem: string | null }[]
    >`select state, problem from credential_rotation order by begun_at desc limit 1`
  )[0];
const inForce = async (): Promise<string> => {
  await bench.host.checkEndpoint("source", never).catch(() => undefined);
  return system.asked.at(-1)?.replace("check ", "") ?? "";
};

describe("the workspace and a rotation", () => {
  it("applying the same file again after a rotation changes nothing, and an export says where the value came from", async () => {
    await requestRotation(context(), { endpoint: "source" });
    await step("succeeded");
    expect(await apply(FIRST_TOKEN)).toEqual([]);
    expect(await inForce()).toBe("issued-token-canary-0002");
    const exported = await exportWorkspace(bench.database.db, bench.context.zones);
    expect(exported.endpoints.find(({ key }) => key === "source")?.secrets).toEqual({ token: { env: "TOKEN" } });
  });

  it("another value in the file counts at once, also after a rotation", async () => {
    await requestRotation(context(), { endpoint: "source" });
    await step("succeeded");
    system.alive.add("given-by-hand-canary");
    expect((await apply("given-by-hand-canary")).map(({ action, key }) => `${action} ${key}`)).toEqual(["update source"]);
    expect(await inForce()).toBe("given-by-hand-canary");
  });

  it.each(["testing", "checking", "draining", "revoking"])(
    "another value in the file while a rotation is %s is what counts; the issued one is ended",
    async (state) => {
      await requestRotation(context(), { endpoint: "source" });
      await step(state);
      system.alive.add("given-by-hand-canary");
      await apply("given-by-hand-canary");
      expect(await inForce()).toBe("given-by-hand-canary");
      await step("failed");
      expect(await last()).toMatchObject({ problem: expect.stringContaining("other secrets") });
      expect(await inForce()).toBe("given-by-hand-canary");
      expect([...system.alive]).toEqual([FIRST_TOKEN, "given-by-hand-canary"]);
    },
  );

  it("new secrets in the file are what a rotation waits for that no connector can do", async () => {
    system.issues = false;
    await requestRotation(context(), { endpoint: "source" });
    expect(await runRotationStep(context())).toBe(true);
    expect(await last()).toMatchObject({ state: "awaiting" });
    system.alive.add("given-by-hand-canary");
    await apply("given-by-hand-canary");
    await step("succeeded");
    expect(await inForce()).toBe("given-by-hand-canary");
    expect(system.alive.has(FIRST_TOKEN)).toBe(true);
  });

  it("the policy is part of the file, compared and exported as people write it", async () => {
    const changes = await apply(FIRST_TOKEN, { rotation: { every: "30d" } });
    expect(changes.flatMap((one) => one.changes.map(({ path, after }) => `${path} ${String(after)}`))).toEqual(["rotation.every 30d"]);
    expect(await apply(FIRST_TOKEN, { rotation: { every: "720h" } })).toEqual([]);
    expect((await apply(FIRST_TOKEN)).length).toBe(1);
  });
});

describe("owner teams", () => {
  it("are told when a rotation fails, when new secrets are awaited, and nothing of one that goes well", async () => {
    await requestRotation(context(), { endpoint: "source" });
    await step("succeeded");
    expect(await bench.database.sql`select kind from outbox`).toEqual([]);
    system.issues = false;
    await requestRotation(context(), { endpoint: "source" });
    await stageCredential(context(), { endpoint: "source", values: { token: "wrong-token-canary" } });
    await step("failed");
    const told = await bench.database.sql<
      { kind: string; team: string; text: string }[]
    >`select kind, team, payload::text as text from outbox order by id`;
    expect(told.map(({ kind, team }) => `${team} ${kind}`)).toEqual(["crew credential.awaited", "crew credential.rotation-failed"]);
    expect(JSON.parse(told[1]?.text ?? "")).toMatchObject({
      type: "credential.rotation-failed",
      data: {
        endpoint: { key: "source", system: "erp" },
        integrations: ["orders"],
        event: { problem: "auth: The token [redacted] is not known." },
      },
    });
    expect(told.map(({ text }) => text).join()).not.toContain("canary");
  });

  it("are told at 30, 14, 7 and 1 days before a client certificate ends, each once, and anew for the next one", async () => {
    const now = await time.now();
    const certificate = (days: number) =>
      issueCertificate(makeAuthority("Test"), { name: "client", notAfter: new Date(now + days * day) }).cert;
    await apply(certificate(40));
    const told: number[] = [];
    for (const days of [40, 29, 28, 13, 6, 6, 0.5, -2]) {
      await time.set(now + (40 - days) * day);
      told.push(await warnOfCredentials(bench));
    }
    expect(told).toEqual([0, 1, 0, 1, 1, 0, 1, 0]);
    const kinds = await bench.database.sql<{ kind: string; days: string }[]>`
      select kind, payload #>> '{data,event,days}' as days from outbox order by id`;
    expect(kinds.map(({ kind, days }) => `${kind} ${days}`)).toEqual([30, 14, 7, 1].map((days) => `endpoint.certificate-expiring ${days}`));
    await apply(certificate(60));
    expect(await warnOfCredentials(bench)).toBe(1);
  });

  it("are told of every endpoint, however many others were told of before", async () => {
    const { sql } = bench.database;
    await sql`
      insert into endpoint (key, name, system_id, connector, credential_told_days, credential_told_end)
      select 'many-' || n, 'Many', e.system_id, e.connector, case when n <= 600 then 7 end, app_now() + interval '5 days'
      from endpoint as e cross join generate_series(1, 601) as n where e.key = 'source' order by n`;
    await sql`
      insert into credential (endpoint_id, version, in_force, source, secrets, names, expires_at)
      select id, 1, true, 'issued', '{}', '{}', credential_told_end from endpoint where key like 'many-%'`;
    expect(await warnOfCredentials(bench)).toBe(1);
    expect(await warnOfCredentials(bench)).toBe(0);
    await sql`delete from endpoint where key like 'many-%'`;
  });
});
