import { randomBytes } from "node:crypto";
import { httpConnector, postgresConnector } from "@quiesce/connectors";
import pino from "pino";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { followRotations } from "../../packages/server/src/credentials/follow-rotations.js";
import { requestRotation, stageCredential } from "../../packages/server/src/credentials/rotation-commands.js";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { type PipelineBench, pipelineBench } from "../pipeline/pipeline-bench.js";
import { type Authority, type Certificate, issueCertificate, makeAuthority } from "../tls/certificates.js";
import { type MutualServer, serialOf, startMutualServer } from "../tls/mutual-server.js";

const TOKEN = "mutual-token-canary-0001";
const PASSWORD = "role-password-canary-0001";
const ROTATOR_PASSWORD = "rotator-password-canary-0001";
const suffix = randomBytes(4).toString("hex");
const roles = { owner: `load_owner_${suffix}`, a: `load_a_${suffix}`, b: `load_b_${suffix}`, rotator: `load_rotator_${suffix}` };

let shop: FreshDatabase;
let admin: postgres.Sql;
let authority: Authority;
let first: Certificate;
let server: MutualServer;
let bench: PipelineBench;
const lines: string[] = [];

beforeAll(async () => {
  shop = await freshDatabase({ empty: true });
  admin = postgres(shop.url, { max: 2, onnotice: () => undefined });
  await admin.unsafe(`
    create role ${roles.owner} nologin;
    create role ${roles.a} login password '${PASSWORD}' in role ${roles.owner};
    create role ${roles.b} nologin in role ${roles.owner};
    create role ${roles.rotator} login createrole password '${ROTATOR_PASSWORD}';
    grant ${roles.a}, ${roles.b} to ${roles.rotator} with admin option;
    comment on role ${roles.b} is 'Kept by the crew''s own hand';
    create table items (id text primary key, name text);
    alter table items owner to ${roles.owner};`);
  authority = makeAuthority("Load");
  first = issueCertificate(authority, { name: "client-1" });
  server = await startMutualServer(authority, { token: TOKEN, cert: first.cert });
  const place = new URL(shop.url);
  const rotation = {
    issue: { path: "/tokens", tokenPath: "data.secret", tokenIdPath: "data.id" },
    revoke: { path: "/tokens/{tokenId}" },
  };
  bench = await pipelineBench({
    source: {
      connector: httpConnector,
      config: {
        baseUrl: server.url,
        ca: authority.cert,
        auth: { type: "bearer" },
        checkPath: "/me",
        rotation,
        streams: [{ name: "items", path: "/items", key: ["id"] }],
      },
      secrets: { token: TOKEN, tokenId: "t1", certificate: first.cert, privateKey: first.key },
    },
    target: {
      connector: postgresConnector,
      config: {
        host: place.hostname,
        port: Number(place.port),
        database: place.pathname.slice(1),
        ssl: "disable",
        user: roles.a,
        setRole: roles.owner,
        rotation: { roles: [roles.a, roles.b], as: roles.rotator },
        streams: [{ name: "items", table: "items", key: ["id"] }],
      },
      secrets: { password: PASSWORD, rotatorPassword: ROTATOR_PASSWORD },
    },
  });
  await bench.database.sql`update endpoint set rotation = '{"overlap": "0s"}'`;
}, 300_000);

afterAll(async () => {
  await bench?.close();
  await server?.close();
  await admin?.unsafe(`drop owned by ${roles.owner}; drop role ${roles.rotator}, ${roles.a}, ${roles.b}, ${roles.owner}`);
  await admin?.end();
  await shop?.drop();
});

const rotationContext = () => ({ ...bench.context, keys: bench.keys, calls: bench.host.rotation });

/** Runs one after the other for as long as a rotation is under way; each has to succeed. */
async function runWhileRotating(): Promise<number> {
  for (let runs = 1; ; runs += 1) {
    expect(await bench.attempt()).toMatchObject({ kind: "succeeded" });
    const open = await bench.database.sql`select from credential_rotation where ended_at is null`;
    if (open.length === 0) return runs;
    if (runs > 2_000) throw new Error("The rotations do not end.");
  }
}

/**
 * Begins both rotations while the first run is in the middle of its work, and holds it back until the drain of the target has looked at it twice: were
 * it not waited for, it would write with a password that is refused.
 */
function rotateInTheMiddle(): () => Promise<void> {
  let begun = false;
  let seen: number | null = null;
  let passed = false;
  return async () => {
    if (!begun) {
      begun = true;
      await requestRotation(rotationContext(), { endpoint: "source" });
      await requestRotation(rotationContext(), { endpoint: "target" });
    }
    while (!passed) {
      const [row] = await bench.database.sql<{ state: string; step: number; ended: boolean }[]>`
        select r.state, r.step, r.ended_at is not null as ended from credential_rotation as r join endpoint as e on e.id = r.endpoint_id
        where e.key = 'target' order by r.begun_at desc limit 1`;
      if (row === undefined) throw new Error("There is no rotation.");
      if (row.state === "draining") seen ??= row.step;
      passed = row.ended || (row.state === "draining" && seen !== null && row.step > seen + 1);
    }
  };
}

async function canLogIn(user: string, password: string): Promise<boolean> {
  const url = new URL(shop.url);
  const client = postgres({ host: url.hostname, port: Number(url.port), database: url.pathname.slice(1), user, password, max: 1 });
  try {
    await client`select 1`;
    return true;
  } catch {
    return false;
  } finally {
    await client.end({ timeout: 0 });
  }
}

test("tokens, client certificates and passwords are renewed again and again without a failed run, and the old ones are refused afterwards", async () => {
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const stop = followRotations({ ...rotationContext(), log }, { everyMs: 20, planEveryMs: 3_600_000 });
  let runs = 0;
  let certificate = first;
  try {
    for (let round = 2; round <= 4; round += 1) {
      server.beforeItems = rotateInTheMiddle();
      runs += await runWhileRotating();
      // The certificate is renewed by hand: the token that the rotation before has put in force stays.
      const next = issueCertificate(authority, { name: `client-${round}` });
      server.certificates.add(serialOf(next.cert));
      await stageCredential(rotationContext(), { endpoint: "source", values: { certificate: next.cert, privateKey: next.key } });
      runs += await runWhileRotating();
      server.certificates.delete(serialOf(certificate.cert));
      certificate = next;
      expect(await bench.attempt()).toMatchObject({ kind: "succeeded" });
    }
  } finally {
    await stop();
  }
  const ended = await bench.database.sql<{ state: string; problem: string | null }[]>`select state, problem from credential_rotation`;
  expect(ended).toHaveLength(9);
  expect(ended.filter(({ state }) => state !== "succeeded")).toEqual([]);
  expect(server.counts.refused).toEqual([]);
  expect([...server.tokens.keys()]).toEqual(["t4"]);
  expect(runs).toBeGreaterThan(6);
  const failed = await bench.database.sql`select from run where state not in ('succeeded')`;
  expect(failed).toHaveLength(0);
  // Three times: from a to b, to a, to b.
  expect(await canLogIn(roles.a, PASSWORD)).toBe(false);
  expect(await admin`select rolname, rolcanlogin from pg_roles where rolname in (${roles.a}, ${roles.b}) order by rolname`).toEqual([
    { rolname: roles.a, rolcanlogin: false },
    { rolname: roles.b, rolcanlogin: true },
  ]);
  const [comment] = await admin<
    { text: string }[]
  >`select shobj_description(oid, 'pg_authid') as text from pg_roles where rolname = ${roles.b}`;
  expect(comment?.text).toMatch(/^Kept by the crew's own hand \[quiesce step=\d+ password=[0-9a-f]{16}\]$/u);
}, 300_000);

test("no secret of before or after is in a log, an event, an audit entry or a row", async () => {
  const tables = await bench.database.sql<{ name: string }[]>`
    select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`;
  const texts = await Promise.all(
    tables.map(({ name }) => bench.database.sql.unsafe(`select coalesce(string_agg(t::text, ' '), '') as text from "${name}" as t`)),
  );
  const all = [bench.logged(), ...lines, ...texts.map((rows) => String(rows[0]?.["text"]))].join("\n");
  const key = first.key.split("\n")[1] ?? "";
  for (const secret of ["mutual-token-canary", "role-password-canary", "rotator-password-canary", key]) {
    expect(secret.length).toBeGreaterThan(10);
    expect(all).not.toContain(secret);
  }
  expect(all).toContain("credential.rotated");
});
