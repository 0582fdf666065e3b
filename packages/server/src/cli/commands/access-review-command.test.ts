import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandLineServer, commandLineServer, type Said } from "../../../../../test/server/command-line.js";

let server: CommandLineServer;
let second: string;
let file: string;

beforeAll(async () => {
  server = await commandLineServer({ name: "access-review" });
  file = join(server.folder, "review.json");
  second = (await server.quiesce("token", "create", "--name", "second-admin", "--role", "admin")).out.trim();
  await server.quiesce("token", "create", "--name", "deploy", "--role", "operator");
  await server.quiesce("token", "create", "--name", "leaver", "--role", "viewer");
  await server.app.database.sql`update api_token set created_at = created_at - interval '30 days'`;
});
afterAll(async () => {
  await server?.close();
});

interface Item {
  readonly key: string;
  readonly account: string;
  readonly subject: string;
  readonly outcome: string | null;
}
const ok = (said: Said): Said => {
  expect(said.code, said.err).toBe(0);
  return said;
};
const itemsOf = async (): Promise<readonly Item[]> =>
  (JSON.parse(ok(await server.quiesce("access-review", "show", "1", "--json")).out) as { readonly items: readonly Item[] }).items;
const keyOf = async (account: string, subject = "TOKEN") =>
  (await itemsOf()).find((item) => item.account === account && item.subject === subject)?.key ?? "";

describe("quiesce access-review", () => {
  it("opens, lists and shows a review with what is said of everybody's access", async () => {
    const opened = ok(await server.quiesce("access-review", "open", "Fourth quarter", "--due", "+14d", "-r", "yearly"));
    expect(opened.out).toMatch(/^Review 1 is open: 9 items, 3 with a suggestion\. Look at them: quiesce access-review show 1/);
    expect(ok(await server.quiesce("access-review", "list", "--open")).out).toMatch(/1 +Fourth quarter +open .* 9 +9 +3 +admins/);
    const shown = ok(await server.quiesce("access-review", "show", "1")).out;
    expect(shown).toMatch(/Fourth quarter: open, due .*\. 9 of 9 items are undecided\./);
    expect(shown).toMatch(
      /token +leaver \(token 4\) +viewer +never +revoke: Never used in the 30 days since it was made\. It never ends by itself\./,
    );
    expect(
      ok(await server.quiesce("access-review", "show", "1", "--suggested", "--subject", "token"))
        .out.split("\n")
        .filter((line) => line.includes("(token ")),
    ).toHaveLength(3);
    expect((await server.quiesce("access-review", "show", "99")).err).toContain('There is no access review "99"');
  });

  it("says what is wrong with a command line", async () => {
    const codes = await Promise.all(
      [
        ["open", "x"],
        ["open", "x", "--due", "+14d", "--subject", "robots"],
        ["open", "x", "--due", "+14d", "--unused-days", "many"],
        ["decide", "1", "2", "--decision", "keep", "--grant", "viewer", "-r", "x"],
        ["decide", "1", "2", "--decision", "perhaps", "-r", "x"],
        ["close", "1"],
        ["verify", file, "--hash", "abc"],
      ].map(async (args) => (await server.quiesce("access-review", ...args)).code),
    );
    expect(codes).toEqual(codes.map(() => 2));
  });

  it("decides, but not on one's own access", async () => {
    const own = await server.quiesce("access-review", "decide", "1", await keyOf("first-admin"), "--decision", "keep", "-r", "mine");
    expect([own.code, own.err]).toEqual([1, expect.stringContaining("QSC_REVIEW_OWN_ACCESS")]);
    const mine = (await itemsOf()).filter(({ account }) => account === "first-admin").map(({ key }) => key);
    expect(ok(await server.as(second, "access-review", "decide", "1", ...mine, "--decision", "keep", "-r", "needed")).out).toBe(
      "Decided: keep, for 2 items. 7 of 9 are undecided.\n",
    );
    ok(
      await server.quiesce(
        "access-review",
        "decide",
        "1",
        await keyOf("deploy"),
        "--decision",
        "narrow",
        "--grant",
        "viewer",
        "-r",
        "only looks",
      ),
    );
    ok(await server.quiesce("access-review", "decide", "1", await keyOf("leaver"), "--decision", "revoke", "-r", "left"));
    const unsuggested = await server.quiesce(
      "access-review",
      "decide",
      "1",
      await keyOf("second-admin"),
      "--decision",
      "narrow",
      "-r",
      "x",
    );
    expect(unsuggested.err).toContain("QSC_REVIEW_NOT_NARROWER");
    expect((await server.quiesce("access-review", "export", "1")).err).toContain("Review 1 is open");
  });

  it("closes, and what was decided is done", async () => {
    expect((await server.quiesce("access-review", "close", "1", "-r", "done")).err).toContain(
      "QSC_REVIEW_UNDECIDED: 5 items of review 1 are undecided.",
    );
    expect(ok(await server.quiesce("access-review", "close", "1", "--undecided", "keep", "-r", "done")).out).toMatch(
      /^Review 1 is closed\. Evidence: SHA-256 [0-9a-f]{64}\./,
    );
    const tokens = ok(await server.quiesce("token", "list")).out;
    expect(tokens).toMatch(/deploy +viewer +valid/);
    expect(tokens).toMatch(/leaver +viewer +revoked/);
    expect((await itemsOf()).map(({ outcome }) => String(outcome)).toSorted()).toEqual([
      "KEPT",
      "KEPT",
      "KEPT",
      "KEPT",
      "KEPT",
      "KEPT",
      "KEPT",
      "NARROWED",
      "REVOKED",
    ]);
    expect((await server.quiesce("access-review", "close", "1", "-r", "again")).err).toContain("QSC_REVIEW_CLOSED");
  });

  it("exports evidence that is checked without the server, against the hash of the audit trail", async () => {
    ok(await server.quiesce("access-review", "export", "1", "-o", file));
    const listed = ok(
      await server.quiesce("audit", "list", "--subject", "access-review:1", "--action", "access-review.close", "--json"),
    ).out;
    const [entry] = JSON.parse(listed) as readonly { readonly after: { readonly hash: string } }[];
    const hash = entry?.after.hash ?? "";
    expect(ok(await server.as("", "access-review", "verify", file)).out).toBe(
      `The evidence of review 1 ("Fourth quarter") is whole: 9 items, SHA-256 ${hash}.\n`,
    );
    ok(await server.as("", "access-review", "verify", file, "--hash", hash));
    expect((await server.as("", "access-review", "verify", file, "--hash", "0".repeat(64))).code).toBe(1);
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace('"only looks"', '"only looked"'));
    const changed = await server.as("", "access-review", "verify", file, "--json");
    expect([changed.code, JSON.parse(changed.out)]).toMatchObject([1, { whole: false, expected: hash }]);
    await writeFile(file, "{}");
    expect((await server.as("", "access-review", "verify", file)).err).toContain("is no evidence of a review");
    expect(text).not.toContain("qsc_".concat(second.slice(4)));
  });

  it("notices a row that was altered by SQL behind the guard", async () => {
    await server.app.database.sql.begin(async (tx) => {
      await tx`set local session_replication_role = replica`;
      await tx`update access_review_item set decided_by = 'token:somebody-else' where outcome = 'revoked'`;
    });
    ok(await server.quiesce("access-review", "export", "1", "-o", file));
    const verdict = await server.as("", "access-review", "verify", file);
    expect([verdict.code, verdict.out]).toEqual([1, expect.stringContaining("The evidence was changed")]);
  });
});
