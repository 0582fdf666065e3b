import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FIRST_TOKEN, tokenSystem } from "../../../../test/credentials/token-system.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { inTransaction } from "../command.js";
import { createStateStore } from "../connector-host/connector-state.js";
import { createSecretMask } from "../connector-host/secret-mask.js";
import { putInForce } from "./credential-store.js";
import { openCredential } from "./credential-secrets.js";
import { keepCredential } from "./keep-credential.js";
import { addMasterKey, dropOtherMasterKeys, type KeyRing, loadKeyRing, loadMasterKey, masterKeyOf } from "./master-key.js";
import { rewrapSecrets, rotateMasterKey, sealedByKey } from "./rewrap-secrets.js";
import { open, seal, sealedSecretSchema } from "./sealed-secret.js";

let bench: PipelineBench;
let endpointId: number;
beforeAll(async () => {
  const system = tokenSystem();
  bench = await pipelineBench({ source: { connector: system.connector, secrets: { token: FIRST_TOKEN } }, target: memoryTarget() });
  const [row] = await bench.database.sql<{ id: number }[]>`select id from endpoint where key = 'source'`;
  endpointId = row?.id ?? 0;
});
afterAll(() => bench.close());

const stateStore = (keyRing: KeyRing) =>
  createStateStore({
    database: bench.database,
    keyRing,
    endpoint: { id: endpointId, key: "source", credentialId: null },
    connectorId: "tokens",
    mask: createSecretMask(),
  });

async function sealEverywhere(keys: KeyRing): Promise<void> {
  const { sql } = bench.database;
  await stateStore(keys).set("session", { id: "session-canary-000001" });
  await inTransaction(bench, async (tx) => {
    const kept = await keepCredential(tx, {
      keys,
      endpointId,
      endpoint: "source",
      source: "handed-in",
      values: { token: "rotated-canary-0001" },
      expiresAt: null,
    });
    await putInForce(tx, { endpointId, credentialId: kept.id });
  });
  const hook = JSON.stringify(seal(keys, { endpoint: "team:crew", name: "https://example.com/hook", version: 1 }, "whsec_canary"));
  await sql`insert into team (key, title) values ('crew', 'Crew')`;
  await sql`insert into team_webhook (team_id, url, source, sealed, fingerprint)
    select id, 'https://example.com/hook', 'inline', ${hook}::text::jsonb, 'x' from team`;
}

describe("a rotation of the master key", () => {
  it("seals every kind of secret again, goes on after an interruption, and leaves nothing under the old key", async () => {
    const { sql } = bench.database;
    await sealEverywhere(bench.keys);
    const next: KeyRing = { current: masterKeyOf(randomBytes(32)), previous: [bench.keys.current] };
    expect(await sealedByKey(bench.database.db)).toEqual([{ keyId: bench.keys.current.id, secrets: 4 }]);
    await sql`create function refuse() returns trigger language plpgsql as 'begin raise exception ''killed''; end'`;
    await sql`create trigger killed before update on connector_state for each row execute function refuse()`;
    await expect(rewrapSecrets(bench.database, next)).rejects.toThrow();
    await sql`drop trigger killed on connector_state`;
    const halfway = await sealedByKey(bench.database.db);
    expect(halfway.find(({ keyId }) => keyId === bench.keys.current.id)?.secrets).toBe(2);
    // Both keys are at hand, so everything opens at any moment.
    expect(await stateStore(next).get("session")).toEqual({ id: "session-canary-000001" });
    expect(await rotateMasterKey({ ...bench.context, keys: next }, { reason: "yearly" })).toBe(2);
    expect(await rewrapSecrets(bench.database, next)).toBe(0);
    expect(await sealedByKey(bench.database.db)).toEqual([{ keyId: next.current.id, secrets: 4 }]);
    const alone: KeyRing = { current: next.current, previous: [] };
    expect(await stateStore(alone).get("session")).toEqual({ id: "session-canary-000001" });
    const [row] = await sql<{ secrets: unknown; sealed: unknown; hook: unknown }[]>`
      select c.secrets, s.sealed, k.sealed as hook from credential as c, endpoint_secret as s, team_webhook as k where c.in_force and s.name = 'token'`;
    expect(openCredential(alone, "source", row?.secrets)).toEqual({ token: "rotated-canary-0001" });
    expect(open(alone, { endpoint: "source", name: "token" }, sealedSecretSchema.parse(row?.sealed))).toBe(FIRST_TOKEN);
    expect(open(alone, { endpoint: "team:crew", name: "https://example.com/hook" }, sealedSecretSchema.parse(row?.hook))).toBe(
      "whsec_canary",
    );
    const audit = await sql`select reason from audit_entry where action = 'control.master-key-rotated'`;
    expect(audit).toEqual([{ reason: "yearly" }]);
  });

  it("a credential's value cannot be passed off as one of the workspace, nor as another version", async () => {
    const [row] = await bench.database.sql<
      { sealed: unknown }[]
    >`select c.secrets -> 'token' as sealed from credential as c where c.in_force`;
    const [ring] = [{ current: masterKeyOf(randomBytes(32)), previous: [] }];
    expect(() => open(ring, { endpoint: "source", name: "token" }, sealedSecretSchema.parse(row?.sealed))).toThrow();
    const sealed = seal(bench.keys, { endpoint: "source", name: "credential:token", version: 2 }, "x-canary");
    expect(() => openCredential(bench.keys, "source", { token: { ...sealed, version: 3 } })).toThrow(
      expect.objectContaining({ code: "QSC_CREDENTIALS_TAMPERED" }),
    );
    expect(() => open(bench.keys, { endpoint: "source", name: "token" }, sealed)).toThrow(
      expect.objectContaining({ code: "QSC_CREDENTIALS_TAMPERED" }),
    );
  });
});

describe("the key file", () => {
  it("holds the new key first and the old ones behind it, until they are dropped, and stays private", async () => {
    const folder = await mkdtemp(join(tmpdir(), "quiesce-keys-"));
    try {
      const keyFile = join(folder, "master-key");
      const first = await loadMasterKey({ keyFile });
      const { added, others } = await addMasterKey(keyFile);
      expect(others).toEqual([first.id]);
      const ring = await loadKeyRing({ keyFile });
      expect(ring.current.id).toBe(added);
      expect(ring.previous.map(({ id }) => id)).toEqual([first.id]);
      expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
      const given = await loadKeyRing({
        keyFile,
        value: first.key.toString("base64"),
        others: [ring.current.key.toString("hex"), first.key.toString("hex")],
      });
      expect([given.current.id, given.previous.map(({ id }) => id)]).toEqual([first.id, [added]]);
      expect(await dropOtherMasterKeys(keyFile)).toEqual([first.id]);
      expect((await readFile(keyFile, "utf8")).trim().split("\n")).toHaveLength(1);
      expect((await loadKeyRing({ keyFile })).previous).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
