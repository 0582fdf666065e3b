import { randomBytes } from "node:crypto";
import { postgresConnector } from "@quiesce/connectors";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { rejection, runContext } from "./run-context.js";

const suffix = randomBytes(4).toString("hex");
const roles = { a: `turn_a_${suffix}`, b: `turn_b_${suffix}`, rotator: `turner_${suffix}` };
const PASSWORD = "first-password-of-a";

let database: FreshDatabase;
let sql: postgres.Sql;
let config: object;

beforeAll(async () => {
  database = await freshDatabase({ empty: true });
  sql = postgres(database.url, { max: 2, onnotice: () => undefined });
  await sql.unsafe(`create role ${roles.a} login password '${PASSWORD}'; create role ${roles.b} nologin;
    create role ${roles.rotator} login createrole password 'turner'; grant ${roles.a}, ${roles.b} to ${roles.rotator} with admin option`);
  const url = new URL(database.url);
  config = {
    host: url.hostname,
    port: Number(url.port),
    database: url.pathname.slice(1),
    ssl: "disable",
    user: roles.a,
    rotation: { roles: [roles.a, roles.b], as: roles.rotator },
    streams: [{ name: "s", table: "t", key: ["id"] }],
  };
});
beforeEach(async () => {
  await sql.unsafe(`alter role ${roles.a} login password '${PASSWORD}'; alter role ${roles.b} nologin password null;
    comment on role ${roles.a} is null; comment on role ${roles.b} is null`);
});
afterAll(async () => {
  await sql.unsafe(`drop role ${roles.rotator}, ${roles.a}, ${roles.b}`);
  await sql.end();
  await database.drop();
});

interface Secrets {
  readonly password?: string;
  readonly turn?: string;
  readonly rotatorPassword?: string;
}
const as = (secrets: Secrets) => runContext(postgresConnector, { config, secrets: { rotatorPassword: "turner", ...secrets } });
const first = { password: PASSWORD };
const issue = async (secrets: Secrets, fence: number): Promise<Secrets> => {
  const issued = await postgresConnector.rotate?.issue?.(await as(secrets), { key: "k", fence });
  return issued?.secrets ?? {};
};
const revoke = async (stays: Secrets, old: Secrets): Promise<void> => {
  const { secrets } = await as(old);
  await postgresConnector.rotate?.revoke?.(await as(stays), secrets);
};
const principal = async (secrets: Secrets): Promise<unknown> => (await postgresConnector.check?.(await as(secrets)))?.identity?.principal;

describe("passwords of PostgreSQL", () => {
  test("are issued to the role that is not in use; both are good until the old one is ended", async () => {
    const second = await issue(first, 1);
    expect(second).toEqual({ turn: "b", password: expect.stringMatching(/^[\w-]{43}$/u) });
    expect([await principal(first), await principal(second)]).toEqual([roles.a, roles.b]);
    await revoke(second, first);
    expect(await rejection(principal(first))).toMatchObject({ kind: "auth" });
    expect(await principal(second)).toBe(roles.b);
    const third = await issue(second, 2);
    expect(third.turn).toBe("a");
    expect([await principal(second), await principal(third)]).toEqual([roles.b, roles.a]);
    await revoke(third, second);
    await revoke(third, second);
    expect(await rejection(principal(second))).toMatchObject({ kind: "auth" });
  });

  test("a try that comes after a later one is refused, and has changed nothing", async () => {
    const later = await issue(first, 8);
    expect(await rejection(issue(first, 7))).toMatchObject({ kind: "conflict", message: expect.stringContaining("step 8") });
    expect(await principal(later)).toBe(roles.b);
  });

  test("a try that is repeated after its answer was lost makes the earlier password useless", async () => {
    const lost = await issue(first, 3);
    const again = await issue(first, 4);
    expect(await rejection(principal(lost))).toMatchObject({ kind: "auth" });
    expect(await principal(again)).toBe(roles.b);
    expect(await principal(first)).toBe(roles.a);
  });

  test("an end that comes too late does not touch the password that its role was given since, nor the one in use", async () => {
    const second = await issue(first, 5);
    await revoke(second, first);
    const third = await issue(second, 6);
    // A server that slept since the first rotation.
    await revoke(second, first);
    expect(await principal(third)).toBe(roles.a);
    await revoke(third, third);
    expect(await principal(third)).toBe(roles.a);
  });

  test("what is not configured right is said in words, and no password with it", async () => {
    const error = await rejection(issue({ ...first, rotatorPassword: "wrong-password-canary" }, 9));
    expect(error).toMatchObject({ kind: "auth" });
    expect(String(error)).not.toContain("wrong-password-canary");
    const parse = (more: object) => postgresConnector.config["~standard"].validate({ ...config, ...more });
    expect(JSON.stringify(await parse({ user: "else" }))).toContain("rotation.roles");
    expect(JSON.stringify(await parse({ rotation: { roles: [roles.a, roles.a], as: "x" } }))).toContain("twice");
    expect(JSON.stringify(await parse({ rotation: { roles: [roles.a, roles.b], as: roles.b } }))).toContain("cannot be one of roles");
  });
});
