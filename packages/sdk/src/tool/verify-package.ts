import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readPackageManifest, type Manifest } from "../index.js";
import { conformanceLine } from "../testing/conformance.js";
import { manifestDifferences } from "../testing/manifest-differences.js";
import { readPackage, type LoadedPackage } from "./load-package.js";
import type { ToolOptions } from "./tool-options.js";

const STEP_TIMEOUT_MS = 600_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
/** So much of what a step printed is kept when it failed. */
const SHOWN = 4_000;

/** One step of the verification. */
interface Step {
  readonly name: string;
  readonly ok: boolean;
  /** What went wrong; absent if nothing did. */
  readonly problem?: string;
}

/** Imports the installed package and prints its manifest. */
const TELL = `
const { default: connector } = await import(process.argv[1]);
process.stdout.write("\\n" + JSON.stringify(connector.toManifest()));
`;

/**
 * Types, tests, tarball, a clean installation and the manifest, one after the other; writes a report as JSON that CI can publish. True if all is well.
 * What the package's `build` and `test` scripts do is run; the tests should hold `conformance`.
 */
export async function verifyPackage(options: ToolOptions, print: (line: string) => void): Promise<boolean> {
  const found = await readPackage(options.folder);
  const work = await mkdtemp(join(tmpdir(), "quiesce-verify-"));
  const steps: Step[] = [];
  let tarball: string | undefined;
  const step = async (name: string, run: () => Promise<unknown>): Promise<void> => {
    if (steps.some(({ ok }) => !ok)) return;
    try {
      await run();
      steps.push({ name, ok: true });
      print(`ok    ${name}`);
    } catch (thrown) {
      const problem = thrown instanceof Error ? thrown.message : String(thrown);
      steps.push({ name, ok: false, problem });
      print(`FAIL  ${name}\n${problem}`);
    }
  };
  try {
    await step("build", () => npm(found.folder, ["run", "build"]));
    await step("conformance", () => conforms(found));
    await step("pack", async () => (tarball = await pack(found.folder, work)));
    await step("install", () => install(work, [tarball ?? "", ...options.with.map((one) => resolve(one))]));
    await step("manifest", () => compare(work, found));
    const sha256 =
      tarball === undefined
        ? null
        : createHash("sha256")
            .update(await readFile(tarball))
            .digest("hex");
    const { name, version, manifest } = found;
    const report = { package: name, version, quiesce: manifest, node: process.version, tarball: { sha256 }, steps };
    await writeFile(join(found.folder, options.report), `${JSON.stringify(report, null, 2)}\n`);
    print(`report: ${options.report}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return steps.every(({ ok }) => ok);
}

async function conforms({ folder, version, manifest }: LoadedPackage): Promise<void> {
  const { scripts } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as { scripts?: { readonly [name: string]: string } };
  if (scripts?.["test"] === undefined) throw new Error('package.json has no script "test"; it runs the conformance kit.');
  const output = await npm(folder, ["test"]);
  // A test run that found no file passes too.
  if (!output.includes(conformanceLine({ id: manifest.id, version })))
    throw new Error(`npm test passed, and the conformance kit was not among what it ran:\n${output.slice(-SHOWN)}`);
}

async function pack(folder: string, work: string): Promise<string> {
  const output = await npm(folder, ["pack", "--json", "--ignore-scripts", "--pack-destination", work]);
  const [packed] = JSON.parse(output.slice(output.indexOf("["))) as readonly { readonly filename: string }[];
  if (packed === undefined) throw new Error("npm pack made nothing.");
  return join(work, packed.filename);
}

async function install(work: string, packages: readonly string[]): Promise<void> {
  await writeFile(join(work, "package.json"), '{ "name": "empty", "private": true, "type": "module" }\n');
  await npm(work, ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", ...packages]);
}

async function compare(work: string, { name, folder, manifest: said }: LoadedPackage): Promise<void> {
  const packageJson: unknown = JSON.parse(await readFile(join(work, "node_modules", name, "package.json"), "utf8"));
  const found = readPackageManifest(packageJson);
  if (!found.ok) throw new Error(`The installed package is not a connector's:\n- ${found.problems.join("\n- ")}`);
  if (JSON.stringify(found.manifest) !== JSON.stringify(said)) throw new Error(`The packed manifest differs from that in ${folder}.`);
  const output = await execute(process.execPath, ["--input-type=module", "--eval", TELL, name], work);
  const manifest = JSON.parse(output.slice(output.lastIndexOf("\n"))) as Manifest;
  const differences = manifestDifferences(found, manifest);
  if (differences.length > 0) throw new Error(`package.json and the connector differ:\n- ${differences.join("\n- ")}`);
}

function npm(folder: string, argv: readonly string[]): Promise<string> {
  return execute("npm", argv, folder);
}

function execute(program: string, argv: readonly string[], cwd: string): Promise<string> {
  return new Promise((fulfil, reject) => {
    const options = { cwd, timeout: STEP_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, encoding: "utf8" } as const;
    execFile(program, [...argv], options, (error, stdout, stderr) => {
      if (error === null) fulfil(stdout);
      else
        reject(
          new Error(
            `${program} ${argv.slice(0, 2).join(" ")} failed (${error.code ?? error.signal ?? "unknown"}):\n${`${stdout}\n${stderr}`.trim().slice(-SHOWN)}`,
          ),
        );
    });
  });
}
