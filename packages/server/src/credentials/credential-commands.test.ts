import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FIRST_TOKEN, tokenSystem, type TokenSystem } from "../../../../test/credentials/token-system.js";
import { type CommandLineServer, commandLineServer, runCommandLine, type Said } from "../../../../test/server/command-line.js";

let system: TokenSystem;
let server: CommandLineServer;

const workspace = {
  quiesce: 1,
  systems: [{ key: "erp" }, { key: "shop" }],
  endpoints: [
    {
      key: "erp-api",
      system: "erp",
      connector: "tokens",
      secrets: { token: { value: FIRST_TOKEN } },
      rotation: { every: "30d", overlap: "0s" },
    },
    { key: "shop-api", system: "shop", connector: "tokens", secrets: { token: { value: FIRST_TOKEN } }, rotation: { overlap: "0s" } },
  ],
};

beforeAll(async () => {
  system = tokenSystem();
  server = await commandLineServer({ name: "credentials", connectors: [system.connector] });
  const file = join(server.folder, "workspace.json");
  await writeFile(file, JSON.stringify(workspace));
  expect(await server.quiesce("apply", "-f", file, "--yes")).toMatchObject({ code: 0 });
});
afterAll(() => server.close());

async function ask(
  query: string,
  variables: object,
  token = server.app.firstToken ?? "",
): Promise<{ readonly text: string; readonly code: string }> {
  const response = await fetch(`${server.app.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  const parsed = JSON.parse(text) as { errors?: readonly { extensions?: { code?: string } }[] };
  return { text, code: parsed.errors?.[0]?.extensions?.code ?? "" };
}

describe("quiesce credential", () => {
  it("renews an endpoint's secrets and says how it went", async () => {
    const done = await server.quiesce("credential", "rotate", "erp-api", "--wait", "60s", "--reason", "yearly");
    expect(done).toMatchObject({ code: 0, out: expect.stringContaining("erp-api works with new secrets") });
    const listed = await server.quiesce("credential", "list");
    expect(listed.out).toMatch(/erp-api +rotation 1 /);
    expect(listed.out).toMatch(/shop-api +the workspace /);
    const history = await server.quiesce("credential", "history", "erp-api");
    expect(history.out).toMatch(/manual +token:\S+ +succeeded/);
    expect(system.alive.has(FIRST_TOKEN)).toBe(false);
  });

  it("takes new secrets from files and variables, never from the command line, and tells when they are refused", async () => {
    const file = join(server.folder, "token");
    await writeFile(file, "wrong-token-canary-9\n");
    const failed = await server.quiesce("credential", "stage", "shop-api", "--file", `token=${file}`, "--wait", "60s");
    expect(failed).toMatchObject({ code: 1, out: expect.stringContaining("works with the secrets of before") });
    system.alive.add("good-token-canary-10");
    const said = await withVariable("credential", "stage", "shop-api", "--env", "token=NEW_TOKEN", "--wait", "60s");
    expect(said).toMatchObject({ code: 0, out: expect.stringContaining("works with new secrets") });
    expect(await server.quiesce("credential", "stage", "shop-api")).toMatchObject({ code: 2 });
    expect(await server.quiesce("credential", "stage", "shop-api", "--env", "token=NOT_THERE")).toMatchObject({ code: 2 });
    for (const { out, err } of [failed, said]) expect(out + err).not.toContain("canary");
  });

  it("refuses what is not there", async () => {
    expect(await server.quiesce("credential", "rotate", "nothing")).toMatchObject({ code: 1, err: expect.stringContaining("nothing") });
    expect(await server.quiesce("credential", "cancel", "erp-api", "-r", "x")).toMatchObject({ code: 1 });
  });

  it("keeps secrets out of answers to requests that are wrong", async () => {
    const mutation = "mutation ($input: StageCredentialInput!) { stageCredential(input: $input) { key } }";
    const secrets = [{ name: "token", value: "secret-in-a-request-canary" }];
    const wrong = [
      { endpoint: "shop-api", secrets, expiresAt: "tomorrow" },
      { endpoint: 5, secrets },
      { endpoint: "shop-api", secrets: [{ ...secrets[0], extra: 1 }] },
      { endpoint: "shop-api", secrets: [{ name: "secret-in-a-request-canary", value: 7 }] },
      { endpoint: "shop-api", secrets: [...secrets, ...secrets] },
      { endpoint: "nothing", secrets },
    ];
    for (const input of wrong) {
      const { text, code } = await ask(mutation, { input });
      expect(code, text).toMatch(/^QSC_/);
      expect(text).not.toContain("canary");
    }
  });

  it("is for operators of the endpoint's system, and others do not learn that it is there", async () => {
    const grant = async (kind: string, name: string): Promise<string> => {
      const mutation = `mutation ($input: CreateTokenInput!) { createToken(input: $input) { secret } }`;
      const input = { name: `operator-${name}`, grants: [{ role: "OPERATOR", scope: kind, name }] };
      const { text } = await ask(mutation, { input });
      return /"secret":"(qsc_[^"]+)"/.exec(text)?.[1] ?? text;
    };
    const operator = await grant("SYSTEM", "shop");
    const mutation = "mutation ($input: RotateCredentialInput!) { rotateCredential(input: $input) { state } }";
    const other = await ask(mutation, { input: { endpoint: "erp-api" } }, operator);
    expect(other.code).toBe("QSC_ENDPOINT_NOT_FOUND");
    const none = await ask(mutation, { input: { endpoint: "erp-nothing" } }, operator);
    expect(none.text.replace("erp-nothing", "erp-api")).toBe(other.text);
    const list = await ask("{ credentialRotations { nodes { endpoint { key } } } }", {}, operator);
    expect(list.text).toContain("shop-api");
    expect(list.text).not.toContain("erp-api");
    expect((await ask("{ masterKey { current } }", {}, operator)).code).toBe("QSC_ACCESS_DENIED");
    expect((await ask(mutation, { input: { endpoint: "shop-api" } }, operator)).text).toContain("ISSUING");
  });
});

describe("quiesce key", () => {
  it("shows which key has sealed what, and refuses to drop a key before the server seals with the new one", async () => {
    const status = await server.quiesce("key", "status");
    expect(status).toMatchObject({ code: 0, out: expect.stringContaining("Everything is sealed by the first one.") });
    expect(await server.quiesce("key", "rotate", "-r", "yearly")).toMatchObject({
      code: 0,
      out: expect.stringContaining("0 rows were sealed again"),
    });
    const within = { QUIESCE_DATA_DIR: server.folder };
    const run = (...args: readonly string[]): Promise<Said> =>
      runCommandLine(args, {
        folder: server.folder,
        variables: { ...within, QUIESCE_URL: server.app.url, QUIESCE_TOKEN: server.app.firstToken ?? "" },
      });
    expect(await run("key", "add")).toMatchObject({ code: 0, out: expect.stringContaining("first of 2 keys") });
    expect(await run("key", "drop")).toMatchObject({ code: 1, err: expect.stringContaining("Restart it first") });
  });
});

function withVariable(...args: readonly string[]): Promise<Said> {
  return runCommandLine(args, {
    folder: server.folder,
    variables: { QUIESCE_URL: server.app.url, QUIESCE_TOKEN: server.app.firstToken ?? "", NEW_TOKEN: "good-token-canary-10" },
  });
}
