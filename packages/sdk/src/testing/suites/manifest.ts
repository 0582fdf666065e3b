import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { facetsOf, parseSettings, readPackageManifest, type JsonObject } from "../../index.js";
import { must, show, withBench, type ConformanceCase, type SuiteCases } from "../conformance-case.js";
import type { Subject } from "../conformance-options.js";
import { manifestDifferences } from "../manifest-differences.js";

const IMPORT_TIMEOUT_MS = 20_000;
/** The last word of a name that promises a secret. */
const SECRET_NAME = /(?:password|passwd|passphrase|secret|token|api_?key|private_?key|access_?key|credentials?)$/iu;

/** What the connector says of itself is true, and stays true for who only reads it. */
export function manifestCases<T>(subject: Subject<T>): SuiteCases {
  const one = (name: string, run: () => Promise<void>): ConformanceCase => ({ suite: "manifest", name: `manifest: ${name}`, run });
  const { package: folder } = subject.options;
  return [
    one("a good configuration is taken, and bad ones are refused", () => parsesSettings(subject)),
    one("both schemas are objects as JSON Schema", () => convertsSchemas(subject)),
    one("no secret is asked for in the configuration", () => keepsSecretsApart(subject)),
    one("egress names origins, the system's among them", () => namesOrigins(subject)),
    one("close bears a second call", () => closesTwice(subject)),
    ...(folder === undefined ? [] : [one("the package says the same", () => agreesWithPackage(subject, folderOf(folder)))]),
    ...(folder === undefined ? [] : [one("importing the package opens nothing", () => importsQuietly(folderOf(folder)))]),
  ];
}

function folderOf(folder: string | URL): string {
  return typeof folder === "string" ? folder : fileURLToPath(folder);
}

async function parsesSettings<T>(subject: Subject<T>): Promise<void> {
  const { connector, options } = subject;
  await withBench(subject, async ({ context }) => void (await context()));
  must(options.config.invalid.length > 0, "options.config.invalid is empty: name at least one configuration that the schema must refuse.");
  for (const config of options.config.invalid) {
    const parsed = await parseSettings(connector.config, config);
    must(!parsed.ok, `The schema takes the configuration ${show(config)}, which options.config.invalid says is bad.`);
  }
}

async function convertsSchemas<T>({ connector }: Subject<T>): Promise<void> {
  const manifest = connector.toManifest();
  for (const name of ["config", "secrets"] as const)
    must(manifest[name]["type"] === "object", `The JSON Schema of ${name} has type ${show(manifest[name]["type"])}, expected object.`);
  must(
    show(manifest.facets) === show(facetsOf(connector)),
    `The manifest lists ${show(manifest.facets)}, the connector has ${show(facetsOf(connector))}.`,
  );
}

async function keepsSecretsApart<T>(subject: Subject<T>): Promise<void> {
  const { config } = subject.connector.toManifest();
  const named = secretNames(config, "");
  must(named.length === 0, `The configuration asks for ${named.join(", ")}: it is shown, exported and compared. Move it to secrets.`);
  await withBench(subject, async ({ running, system }) => {
    const text = JSON.stringify(subject.options.config.valid({ url: running.url, system }));
    for (const [name, value] of Object.entries(subject.options.secrets.valid))
      must(
        typeof value !== "string" || value === "" || !text.includes(JSON.stringify(value)),
        `The value of the secret ${name} is in the configuration too.`,
      );
  });
}

function secretNames(schema: unknown, path: string): readonly string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { properties, items, anyOf, oneOf, allOf } = schema as { readonly [member: string]: unknown };
  const own = Object.entries((properties ?? {}) as JsonObject).flatMap(([name, member]) => {
    const text = (member as { type?: unknown }).type === "string";
    const here = path === "" ? name : `${path}.${name}`;
    return [...(text && SECRET_NAME.test(name) ? [here] : []), ...secretNames(member, here)];
  });
  const parts = [anyOf, oneOf, allOf].flatMap((list) => (Array.isArray(list) ? list : []));
  return [...new Set([...own, ...secretNames(items, path), ...parts.flatMap((part) => secretNames(part, path))])];
}

async function namesOrigins<T>(subject: Subject<T>): Promise<void> {
  await withBench(subject, async ({ running, context }) => {
    const origins = subject.connector.egress((await context()).config);
    for (const origin of origins)
      must(
        URL.canParse(origin) && !origin.includes("*"),
        `egress gives ${show(origin)}, expected an origin such as https://erp.example.com.`,
      );
    if (subject.options.server.faults !== "http") return;
    const own = new URL(running.url).origin;
    must(
      origins.some((origin) => new URL(origin).origin === own),
      `egress gives ${show(origins)}, expected ${own}, where the configuration points, among them.`,
    );
  });
}

async function closesTwice<T>({ connector }: Subject<T>): Promise<void> {
  await connector.close?.();
  await connector.close?.();
}

async function agreesWithPackage<T>({ connector }: Subject<T>, folder: string): Promise<void> {
  const found = readPackageManifest(JSON.parse(await readFile(join(folder, "package.json"), "utf8")));
  must(found.ok, `package.json is not a connector's: ${found.ok ? "" : found.problems.join("; ")}.`);
  const differences = manifestDifferences(found, connector.toManifest());
  must(differences.length === 0, `package.json and the connector differ: ${differences.join("; ")}.`);
}

/** Imports a module in a new process, and tells what stays open afterwards. */
const LOOK = `
const before = process.getActiveResourcesInfo().length;
const module = await import(process.argv[1]);
await new Promise((resolve) => setImmediate(resolve));
const open = process.getActiveResourcesInfo().slice(before);
process.stdout.write(JSON.stringify({ open, id: module.default?.id ?? null }));
process.exit(0);
`;

async function importsQuietly(folder: string): Promise<void> {
  const found = readPackageManifest(JSON.parse(await readFile(join(folder, "package.json"), "utf8")));
  must(found.ok, `package.json is not a connector's: ${found.ok ? "" : found.problems.join("; ")}.`);
  const entry = pathToFileURL(join(folder, found.manifest.entry)).href;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", LOOK, entry], {
    timeout: IMPORT_TIMEOUT_MS,
    cwd: folder,
  }).catch((thrown: unknown) => {
    must(
      false,
      `Importing ${found.manifest.entry} failed; build the package first. ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    );
  });
  const { open, id } = JSON.parse(stdout) as { readonly open: readonly string[]; readonly id: string | null };
  must(
    id === found.manifest.id,
    `${found.manifest.entry} exports as default ${id === null ? "no connector" : `the connector "${id}"`}, expected "${found.manifest.id}".`,
  );
  must(open.length === 0, `Importing ${found.manifest.entry} left open: ${open.join(", ")}. Open things when a call needs them.`);
}
