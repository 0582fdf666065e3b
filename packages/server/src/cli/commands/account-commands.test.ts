import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandLineServer, commandLineServer } from "../../../../../test/server/command-line.js";
import { openBrowser } from "../../../../../test/server/browser.js";

let server: CommandLineServer;
beforeAll(async () => {
  server = await commandLineServer({ name: "accounts" });
});
afterAll(async () => {
  await server.close();
});

/** Opens a link as its page does when somebody presses the button. */
async function open(link: string) {
  const [address = "", secret] = link.trim().split("#");
  const browser = openBrowser();
  const { status } = await browser.post(address, { secret });
  const answer = await browser.post(`${server.app.url}/graphql`, { query: "{ me { name grants { role } } }" });
  return { status, me: ((await answer.json()) as { data?: { me: unknown } }).data?.me };
}

describe("quiesce account", () => {
  it("makes a service account, which a token makes useful and disabling ends", async () => {
    const { quiesce, as } = server;
    expect(await quiesce("account", "create-service", "erp-sync", "--owner", "erp")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Account \d+ \(erp-sync\) is made/),
    });
    expect(await quiesce("account", "create-service", "ERP-sync", "--owner", "erp")).toMatchObject({
      code: 1,
      err: expect.stringContaining("QSC_ACCESS_NAME_TAKEN"),
    });
    const token = await quiesce("token", "create", "--name", "erp-1", "--role", "operator", "--account", "erp-sync");
    expect((await as(token.out.trim(), "status")).code).toBe(0);
    expect(await quiesce("account", "disable", "erp-sync", "-r", "replaced", "--yes")).toMatchObject({
      code: 0,
      out: expect.stringContaining("is disabled"),
    });
    expect(await as(token.out.trim(), "status")).toMatchObject({ code: 4, err: expect.stringContaining("QSC_ACCESS_DISABLED") });
    const [, listed] = (await quiesce("account", "list", "--services")).out.match(/^\d+ +erp-sync +service +(\w+)/m) ?? [];
    expect(listed).toBe("disabled");
    expect((await quiesce("account", "enable", "erp-sync")).code).toBe(0);
    expect((await as(token.out.trim(), "status")).code).toBe(0);
    expect(await quiesce("account", "disable", "nobody", "--yes")).toMatchObject({
      code: 1,
      err: expect.stringContaining("There is no account"),
    });
  });

  it("says who answers for a service account from now on, and not for a person", async () => {
    const { quiesce } = server;
    await quiesce("account", "create-service", "wms-sync", "--owner", "Grace");
    expect(await quiesce("account", "set-owner", "wms-sync", "--owner", " warehouse ", "-r", "Grace left")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^warehouse answers for account \d+ \(wms-sync\)\.$/m),
    });
    const owners = JSON.parse((await quiesce("account", "list", "--services", "--json")).out) as { name: string; owner: string | null }[];
    expect(owners.find(({ name }) => name === "wms-sync")).toMatchObject({ owner: "warehouse" });
    expect(await quiesce("account", "set-owner", "wms-sync", "--owner", " ")).toMatchObject({
      code: 1,
      err: expect.stringContaining("QSC_ACCESS_OWNER"),
    });
    await open((await quiesce("sign-in-link", "--for", "Mary", "--role", "viewer")).out);
    expect(await quiesce("account", "set-owner", "Mary", "--owner", "warehouse")).toMatchObject({
      code: 1,
      err: expect.stringContaining("answers for themselves"),
    });
  });

  it("lists people as JSON", async () => {
    const listed = JSON.parse((await server.quiesce("account", "list", "--people", "--json")).out) as { kind: string }[];
    expect(listed.every(({ kind }) => kind === "PERSON")).toBe(true);
  });
});

describe("quiesce sign-in-link", () => {
  it("the first start has one for the local admin", async () => {
    expect(await open(server.app.signInLink ?? "")).toEqual({ status: 200, me: { name: "admin", grants: [{ role: "ADMIN" }] } });
    expect((await open(server.app.signInLink ?? "")).status).toBe(401);
  });

  it("makes others, also for a new local person, and none for a program", async () => {
    const { quiesce } = server;
    expect((await open((await quiesce("sign-in-link")).out)).me).toMatchObject({ name: "admin" });
    expect((await open((await quiesce("sign-in-link", "--for", "grace", "--role", "approver")).out)).me).toEqual({
      name: "grace",
      grants: [{ role: "APPROVER" }],
    });
    expect(JSON.parse((await quiesce("sign-in-link", "--for", "grace", "--json")).out)).toMatchObject({ name: "grace" });
    expect((await quiesce("sign-in-link", "--for", "first-admin")).err).toContain("QSC_ACCESS_NOT_LOCAL");
    expect((await quiesce("sign-in-link", "--for", "nobody")).err).toContain("QSC_ACCESS_PRINCIPAL_NOT_FOUND");
  });
});
