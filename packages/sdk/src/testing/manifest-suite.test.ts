import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { API_VERSION } from "../index.js";
import { conformance, conformanceCases, exampleConnector, exampleOptions, runConformance } from "./index.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quiesce-package-"));
  await mkdir(join(folder, "dist"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function failuresOf(options: { readonly code: string; readonly quiesce?: object }): Promise<readonly string[]> {
  const { facets, stability } = exampleConnector.toManifest();
  const quiesce = { apiVersion: API_VERSION, id: "example", entry: "./dist/index.js", facets, stability, ...options.quiesce };
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "x", version: exampleConnector.version, type: "module", quiesce }));
  await writeFile(join(folder, "dist/index.js"), options.code);
  const { results } = await runConformance(exampleConnector, { ...exampleOptions, package: folder }, ["manifest"]);
  return results.flatMap(({ failure }) => failure ?? []);
}

const QUIET = `export default { id: "example" };`;

describe("the package", () => {
  test("that says the same as its connector, and opens nothing, passes", async () => {
    expect(await failuresOf({ code: QUIET })).toEqual([]);
  });

  test.each([
    ["a socket", `import { createServer } from "node:net"; createServer().listen(0); ${QUIET}`, "TCPServerWrap"],
    ["a timer", `setInterval(() => {}, 1000); ${QUIET}`, "Timeout"],
    ["a file", `import { watch } from "node:fs"; watch("."); ${QUIET}`, "FSEvent"],
  ])("that opens %s when it is imported is caught", async (_name, code, found) => {
    const failures = await failuresOf({ code });
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain(`left open: ${found}`);
  });

  test("that opens a connection when it is imported is caught", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const { port } = server.address() as AddressInfo;
      const failures = await failuresOf({ code: `import { connect } from "node:net"; connect(${port}, "127.0.0.1"); ${QUIET}` });
      expect(failures).toHaveLength(1);
      // On its way, or there already.
      expect(failures[0]).toMatch(/left open: .*(?:ConnectWrap|TCPSocketWrap)/u);
    } finally {
      server.close();
    }
  });

  test("that cannot be imported, or exports another connector, is caught", async () => {
    expect(await failuresOf({ code: `import "no-such-module-of-anybody";` })).toEqual([
      expect.stringContaining("Importing ./dist/index.js failed"),
    ]);
    expect(await failuresOf({ code: `export default { id: "other" };` })).toEqual([expect.stringContaining('the connector "other"')]);
    expect(await failuresOf({ code: `export const example = 1;` })).toEqual([expect.stringContaining("no connector")]);
  });

  test("that lists other facets, or another stability, is caught", async () => {
    const failures = await failuresOf({ code: QUIET, quiesce: { facets: ["check"], stability: "stable" } });
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatch(/quiesce.stability: .*quiesce.facets: /u);
  });
});

describe("what is left out", () => {
  test("is listed with the reason", () => {
    const except = { "read: pages of 1 give every record once": "the system has no pages" };
    const { cases, skipped } = conformanceCases(exampleConnector, { ...exampleOptions, except });
    expect(skipped).toEqual([{ name: "read: pages of 1 give every record once", why: "the system has no pages" }]);
    expect(cases.some(({ name }) => name in except)).toBe(false);
  });

  test("must be a case that there is", () => {
    expect(() => conformanceCases(exampleConnector, { ...exampleOptions, except: { "read: everything": "no" } })).toThrow(
      /read: everything/u,
    );
  });

  test.each([
    ["read", "read"],
    ["write", "write"],
    ["alerts", "alerts"],
    ["webhooks", "webhook"],
    ["downtime", "downtime"],
  ] as const)("for want of options.%s is a failure, not silence", async (option, suite) => {
    const { [option]: _left, ...rest } = exampleOptions;
    const { results } = await runConformance(exampleConnector, rest, [suite]);
    expect(results).toHaveLength(1);
    expect(results[0]?.failure).toContain(`options.${option}`);
  });

  test("is a suite whose facet is absent", () => {
    const { alerts: _alerts, tracker: _tracker, ...connector } = exampleConnector;
    const names = conformanceCases(connector, exampleOptions).skipped.map(({ name }) => name);
    expect(names).toEqual(["alerts", "webhook", "tracker"]);
  });
});

test("without a test runner one is told how to give it", () => {
  expect(() => conformance(exampleConnector, exampleOptions)).toThrow(/import \{ describe, it \} from "vitest"/u);
});
