import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isConnector, readPackageManifest, type Connector, type PackageManifest } from "../index.js";

/** A connector's package as it lies in a folder. */
export interface LoadedPackage {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly manifest: PackageManifest;
}

/** Reads package.json and refuses what is no connector's, with everything that is wrong. */
export async function readPackage(folder: string): Promise<LoadedPackage> {
  const path = join(resolve(folder), "package.json");
  const found = readPackageManifest(await readJson(path, "Run this in a connector's package, or name it by --package."));
  if (!found.ok) throw new Error(`${path} is not a connector's:\n- ${found.problems.join("\n- ")}`);
  return { folder: resolve(folder), name: found.name, version: found.version, manifest: found.manifest };
}

/** Imports the built connector of a package. */
export async function importConnector({ folder, manifest }: LoadedPackage): Promise<Connector> {
  const path = join(folder, manifest.entry);
  let found: { readonly default?: unknown };
  try {
    found = (await import(pathToFileURL(path).href)) as typeof found;
  } catch (cause) {
    throw new Error(`${path} cannot be imported: ${cause instanceof Error ? cause.message : String(cause)} Build the package first.`, {
      cause,
    });
  }
  if (!isConnector(found.default))
    throw new Error(`${path} does not export a connector as default; expected: export default defineConnector({...})`);
  return found.default;
}

/** The settings of an endpoint for trying things out. */
export async function readSettings(file: string): Promise<{ readonly config: unknown; readonly secrets: unknown }> {
  const found = await readJson(resolve(file), 'Write one: { "config": { ... }, "secrets": { ... } }, or name it by --settings.');
  if (typeof found !== "object" || found === null || !("config" in found))
    throw new Error(`${file} has no "config"; expected { "config": {...}, "secrets": {...} }`);
  return { config: found.config, secrets: "secrets" in found ? found.secrets : {} };
}

async function readJson(path: string, advice: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new Error(`${path} cannot be read (${cause instanceof Error && "code" in cause ? String(cause.code) : "unknown"}). ${advice}`, {
      cause,
    });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new Error(`${path} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
