import { ConnectorError } from "@quiesce/sdk";
import pino from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FIRST_TOKEN, tokenSystem, type TokenSystem } from "../../../../test/credentials/token-system.js";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { pause } from "../windows/hold-commands.js";
import { planRotations } from "./plan-rotations.js";
import { credentialFindingsOf } from "./queries.js";
import { cancelRotation, requestRotation, stageCredential } from "./rotation-commands.js";
import { runRotationStep } from "./run-rotation-step.js";

const minute = 60_000;
const never = new AbortController().signal;

let system: TokenSystem;
let bench: PipelineBench;
let time: ControlledTime;
let audited = 0;

const context = () => ({
  ...bench.context,
  keys: bench.keys,
  calls: bench.host.rotation,
  log: pino({ level: "silent" }),
  told: new Map<string, number>(),
  signal: never,
});

beforeAll(async () => {
  system = tokenSystem();
  bench = await pipelineBench({ source: { connector: system.connector, secrets: { token: FIRST_TOKEN } }, target: memoryTarget() });
  time = await controlTime(bench.database.sql);
});
afterAll(() => bench.close());
beforeEach(async () => {
  system.reset();
  const { sql } = bench.database;
  await sql`delete from credential_rotation`;
  await sql`delete from credential`;
  await sql`delete from event_inbox`;
  // Entries stay for good: a test looks at those after this.
  audited = (await sql<{ id: number }[]>`select coalesce(max(id), 0) as id from audit_entry`)[0]?.id ?? 0;
  await sql`update hold_member set released_at = app_now() where released_at is null`;
  await sql`update endpoint set rotation = '{}'`;
  await sql`update endpoint_secret set updated_at = app_now()`;
});

const request = () => requestRotation(context(), { endpoint: "source", reason: "test" });
const stage = (token: string) => stageCredential(context(), { endpoint: "source", values: { token } });

interface Row {
  readonly state: string;
  readonly problem: string | null;
}
async function last(): Promise<Row> {
  const [row] = await bench.database.sql<Row[]>`select state, problem from credential_rotation order by begun_at desc, step desc limit 1`;
  return row ?? { state: "none", problem: null };
}

/** Does what is due, again and again. */
async function go(): Promise<Row> {
  while (await runRotationStep(context()));
  return last();
}

/** Goes on to the end, with as much time as it takes. */
async function finish(): Promise<Row> {
  for (let round = 0; round < 400; round += 1) {
    const row = await go();
    if (["succeeded", "unrevoked", "failed"].includes(row.state)) return row;
    await time.advance(10 * minute);
  }
  throw new Error(`It does not end: ${JSON.stringify(await last())}`);
}

/** One step, then a stop at the state it led to. */
async function until(state: string): Promise<void> {
  for (let round = 0; round < 50; round += 1) {
    if ((await last()).state === state) return;
    if (!(await runRotationStep(context()))) await time.advance(minute);
  }
  throw new Error(`It never was ${state}: ${JSON.stringify(await last())}`);
}

const inForce = async (): Promise<string> => {
  await bench.host.checkEndpoint("source", never);
  return system.asked.at(-1)?.replace("check ", "") ?? "";
};
const kinds = async (): Promise<readonly string[]> => {
  const rows = await bench.database.sql<{ kind: string }[]>`select kind from event_inbox where kind like 'credential.%' order by id`;
  return rows.map(({ kind }) => kind);
};

describe("a rotation", () => {
  it("issues, tests, switches, checks, and ends the old token after the overlap", async () => {
    await request();
    expect(await go()).toMatchObject({ state: "draining" });
    expect(system.asked).toEqual(["issue", "check issued-token-canary-0002", "check issued-token-canary-0002"]);
    expect(system.alive.has(FIRST_TOKEN)).toBe(true);
    await time.advance(61_000);
    expect(await go()).toEqual({ state: "succeeded", problem: null });
    expect([...system.alive]).toEqual(["issued-token-canary-0002"]);
    expect(await inForce()).toBe("issued-token-canary-0002");
    const told = ["rotation-requested", "staged", "switched", "confirmed", "drained", "rotated"].map((word) => `credential.${word}`);
    expect(await kinds()).toEqual(told);
    const audit = await bench.database.sql<{ action: string }[]>`
      select action from audit_entry where id > ${audited} and action like 'credential.%' order by id`;
    expect(audit.map(({ action }) => action)).toEqual(told);
  });

  it("does not end the old token while a run that began with it is in flight", async () => {
    const run = await bench.claim();
    let switched = false;
    system.before = async (call) => {
      if (call !== "read" || switched) return;
      switched = true;
      await request();
      await time.advance(1_000);
      expect(await go()).toMatchObject({ state: "draining" });
      await time.advance(60 * minute);
      expect(await go()).toMatchObject({ state: "draining" });
      expect(system.alive.has(FIRST_TOKEN)).toBe(true);
    };
    expect(await bench.execute(run)).toMatchObject({ kind: "succeeded" });
    expect(system.asked.filter((one) => one.startsWith("read"))).toEqual([`read ${FIRST_TOKEN}`, `read ${FIRST_TOKEN}`]);
    await bench.database.sql`update run set state = 'succeeded', finished_at = app_now() where id = ${run.runId}`;
    expect(await finish()).toMatchObject({ state: "succeeded" });
    expect(system.alive.has(FIRST_TOKEN)).toBe(false);
  });

  it("leaves the old token in force when the new one is refused, and ends the new one", async () => {
    system.before = (call, token) => {
      if (call === "check" && token !== FIRST_TOKEN) throw new ConnectorError("permission", `The token ${token} may not read.`);
    };
    await request();
    const row = await finish();
    expect(row).toMatchObject({ state: "failed" });
    expect(row.problem).toBe("permission: The token [redacted] may not read.");
    expect([...system.alive]).toEqual([FIRST_TOKEN]);
    expect(await inForce()).toBe(FIRST_TOKEN);
  });

  it("goes back to the old token when the check after the switch is refused", async () => {
    let checks = 0;
    system.before = (call, token) => {
      if (call !== "check" || token === FIRST_TOKEN) return;
      checks += 1;
      if (checks === 2) throw new ConnectorError("auth", "Not after all.");
    };
    await request();
    expect(await finish()).toMatchObject({ state: "failed", problem: "auth: Not after all." });
    expect([...system.alive]).toEqual([FIRST_TOKEN]);
    expect(await inForce()).toBe(FIRST_TOKEN);
    expect(await kinds()).toContain("credential.returned");
  });

  it("tries again when the system does not answer, and gives up with the old token in force", async () => {
    system.before = (call) => {
      if (call === "check") throw new ConnectorError("unavailable", "Nobody answers.");
    };
    await request();
    expect(await go()).toMatchObject({ state: "testing", problem: "unavailable: Nobody answers." });
    expect(await finish()).toMatchObject({ state: "failed" });
    expect(system.asked.filter((one) => one.startsWith("check"))).toHaveLength(12);
    expect([...system.alive]).toEqual([FIRST_TOKEN]);
  });

  it("says so when the old token cannot be ended", async () => {
    system.before = (call) => {
      if (call === "revoke") throw new ConnectorError("permission", "Only owners may.");
    };
    await request();
    expect(await finish()).toEqual({ state: "unrevoked", problem: "permission: Only owners may." });
    expect(await inForce()).toBe("issued-token-canary-0002");
    expect(await kinds()).toContain("credential.revocation-failed");
  });

  it("does not ask a system that is held, and goes on when it is let go", async () => {
    await pause(bench.context, { scope: { all: true }, reason: "down", until: null });
    await request();
    expect(await go()).toMatchObject({ state: "issuing" });
    expect(system.asked).toEqual([]);
    await bench.database.sql`update hold_member set released_at = app_now()`;
    expect(await finish()).toMatchObject({ state: "succeeded" });
  });

  it("is one at a time, and can be cancelled until it has switched", async () => {
    await request();
    await expect(request()).rejects.toMatchObject({ code: "QSC_CREDENTIALS_ROTATING" });
    await until("testing");
    await cancelRotation(bench.context, { endpoint: "source", reason: "not today" });
    expect(await finish()).toEqual({ state: "failed", problem: "Cancelled: not today" });
    expect([...system.alive]).toEqual([FIRST_TOKEN]);
    await expect(cancelRotation(bench.context, { endpoint: "source", reason: "x" })).rejects.toMatchObject({
      code: "QSC_CREDENTIALS_NO_ROTATION",
    });
    await request();
    await until("draining");
    await expect(cancelRotation(bench.context, { endpoint: "source", reason: "x" })).rejects.toMatchObject({
      code: "QSC_CREDENTIALS_SWITCHED",
    });
  });
});

describe("a server that dies or lags", () => {
  it.each(["issue", "check", "revoke"] as const)(
    "in the middle of %s is overtaken after the lease, and what it says late counts for nothing",
    async (dying) => {
      let release: () => void = () => undefined;
      const hangs = new Promise<void>((resolve) => {
        release = resolve;
      });
      let calls = 0;
      let reached: () => void = () => undefined;
      const isHanging = new Promise<void>((resolve) => {
        reached = resolve;
      });
      system.before = async (call) => {
        if (call !== dying) return;
        calls += 1;
        if (calls > 1) return;
        reached();
        await hangs;
      };
      await request();
      await until(dying === "issue" ? "issuing" : dying === "check" ? "testing" : "revoking");
      const late = runRotationStep(context());
      await isHanging;
      expect(await runRotationStep(context())).toBe(false);
      await time.advance(121_000);
      expect(await finish()).toMatchObject({ state: "succeeded" });
      const settled = await bench.database.sql`select state, step, in_force, version from credential_rotation, credential where in_force`;
      release();
      await late;
      expect(await bench.database.sql`select state, step, in_force, version from credential_rotation, credential where in_force`).toEqual(
        settled,
      );
      expect(system.alive.has(await inForce())).toBe(true);
      expect(system.alive.has(FIRST_TOKEN)).toBe(false);
    },
  );

  it.each(["issue", "check"] as const)(
    "in the middle of %s moves nothing on when it wakes up beside the one that went on",
    async (lagging) => {
      let release: () => void = () => undefined;
      const hangs = new Promise<void>((resolve) => {
        release = resolve;
      });
      let reached: () => void = () => undefined;
      const isHanging = new Promise<void>((resolve) => {
        reached = resolve;
      });
      let calls = 0;
      system.before = async (call) => {
        calls += call === lagging ? 1 : 0;
        if (call !== lagging || calls > 1) return;
        reached();
        await hangs;
      };
      await request();
      await until(lagging === "issue" ? "issuing" : "testing");
      const late = runRotationStep(context());
      await isHanging;
      await time.advance(121_000);
      expect(await runRotationStep(context())).toBe(true);
      const after = await last();
      expect(after).toMatchObject({ state: lagging === "issue" ? "testing" : "checking" });
      release();
      await late;
      expect(await last()).toEqual(after);
      expect(await finish()).toMatchObject({ state: "succeeded" });
    },
  );

  it("and another one never do one step at once", async () => {
    await request();
    for (let round = 0; round < 12; round += 1) {
      await Promise.all([runRotationStep(context()), runRotationStep(context()), runRotationStep(context())]);
      await time.advance(30_000);
    }
    expect(await last()).toMatchObject({ state: "succeeded" });
    const twice = system.asked.filter((one) => one === "issue" || one.startsWith("revoke"));
    expect(twice).toEqual(["issue", `revoke ${FIRST_TOKEN}`]);
  });
});

describe("new secrets of a person", () => {
  it("are awaited where the connector cannot issue, tested, and used", async () => {
    system.issues = false;
    await request();
    expect(await go()).toMatchObject({ state: "awaiting" });
    system.alive.add("handed-in-canary-0007");
    await stage("handed-in-canary-0007");
    expect(await finish()).toEqual({ state: "succeeded", problem: null });
    expect([...system.alive]).toEqual(["handed-in-canary-0007"]);
    expect(await inForce()).toBe("handed-in-canary-0007");
  });

  it("that the system refuses are not used, and not ended there either", async () => {
    await stage("handed-in-canary-wrong");
    expect(await finish()).toMatchObject({ state: "failed", problem: "auth: The token [redacted] is not known." });
    expect(system.asked.some((one) => one.startsWith("revoke"))).toBe(false);
    expect(await inForce()).toBe(FIRST_TOKEN);
  });

  it("that are refused after the switch are given up, and not ended there either", async () => {
    system.alive.add("handed-in-canary-0009");
    let checks = 0;
    system.before = (call, token) => {
      checks += call === "check" && token !== FIRST_TOKEN ? 1 : 0;
      if (call === "check" && checks === 2 && token !== FIRST_TOKEN) throw new ConnectorError("permission", "Not after all.");
    };
    await stage("handed-in-canary-0009");
    expect(await finish()).toMatchObject({ state: "failed" });
    expect([...system.alive]).toEqual([FIRST_TOKEN, "handed-in-canary-0009"]);
    expect(await inForce()).toBe(FIRST_TOKEN);
  });

  it("that do not fit the connector are refused at once, without being repeated", async () => {
    await expect(stage("short")).rejects.toMatchObject({
      code: "QSC_CREDENTIALS_NOT_FITTING",
      message: expect.not.stringContaining("short"),
    });
    const values = { other: "value-that-nobody-may-see" };
    await expect(stageCredential(context(), { endpoint: "source", values })).rejects.toMatchObject({
      code: "QSC_CREDENTIALS_NOT_FITTING",
      message: expect.not.stringContaining("nobody-may-see"),
    });
    expect(await last()).toMatchObject({ state: "none" });
  });

  it("leave a note where the connector cannot end the old ones", async () => {
    Object.assign(system, { issues: false, revokes: false });
    system.alive.add("handed-in-canary-0008");
    await stage("handed-in-canary-0008");
    expect(await finish()).toMatchObject({ state: "succeeded", problem: expect.stringContaining("by hand") });
  });
});

describe("the schedule", () => {
  const policy = (rotation: object) =>
    bench.database.sql`update endpoint set rotation = ${JSON.stringify(rotation)}::text::jsonb where key = 'source'`;

  it("renews a credential that is older than it should be, once, and again after the same time", async () => {
    await policy({ every: "30d" });
    const day = 86_400_000;
    expect(await planRotations(context())).toBe(0);
    await time.advance(31 * day);
    expect(await planRotations(context())).toBe(1);
    expect(await planRotations(context())).toBe(0);
    expect(await finish()).toMatchObject({ state: "succeeded" });
    expect(await planRotations(context())).toBe(0);
    await time.advance(31 * day);
    expect(await planRotations(context())).toBe(1);
  });

  it("waits while something holds the system, and a while after a failure", async () => {
    await policy({ every: "1d" });
    await time.advance(2 * 86_400_000);
    await pause(bench.context, { scope: { all: true }, reason: "down", until: null });
    expect(await planRotations(context())).toBe(0);
    await bench.database.sql`update hold_member set released_at = app_now()`;
    system.before = (call) => {
      if (call === "issue") throw new ConnectorError("permission", "No.");
    };
    expect(await planRotations(context())).toBe(1);
    expect(await go()).toMatchObject({ state: "failed" });
    expect(await planRotations(context())).toBe(0);
    const [row] = await bench.database.sql<{ id: number }[]>`select id from endpoint where key = 'source'`;
    expect((await credentialFindingsOf(bench.database, [row?.id ?? 0])).map(({ kind }) => kind)).toEqual(["credential-age"]);
    await time.advance(6 * 3_600_000);
    expect(await planRotations(context())).toBe(1);
  });
});

describe("canaries", () => {
  it("planted in old and new secrets are in no log, event, audit entry or row", async () => {
    await request();
    await finish();
    await stage("handed-in-canary-wrong");
    await finish();
    const tables = [
      "event_inbox",
      "audit_entry",
      "credential",
      "credential_rotation",
      "endpoint_secret",
      "endpoint",
      "outbox",
      "connector_state",
    ];
    const texts = await Promise.all(
      tables.map((table) => bench.database.sql.unsafe(`select coalesce(string_agg(t::text, ' '), '') as text from ${table} as t`)),
    );
    const all = [bench.logged(), ...texts.map((rows) => String(rows[0]?.["text"]))].join("\n");
    expect(all.length).toBeGreaterThan(1_000);
    for (const secret of [FIRST_TOKEN, "issued-token-canary", "handed-in-canary"]) {
      expect(all).not.toContain(secret);
      expect(all).not.toContain(Buffer.from(secret).toString("base64").slice(0, 16));
    }
  });
});
