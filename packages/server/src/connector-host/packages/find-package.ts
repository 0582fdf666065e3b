import { readFile, realpath } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { type PackageManifest, readPackageManifest } from "@quiesce/sdk";

/** A package.json is not larger than this: 1 MiB. */
const MANIFEST_MAX_BYTES = 1_048_576;

/** A package as its `package.json` describes it; none of its code has run. */
export interface FoundPackage {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly manifest: PackageManifest;
  /** The address of the module that exports the connector. */
  readonly module: string;
}

/** Why a package is not loaded, as a sentence for whoever can mend it. */
export class PackageRefusal extends Error {
  override readonly name = "PackageRefusal";
}

/**
 * Finds a package as an import from beside the list would: by its name in the node_modules folders above, or by a path. Reads its `package.json`
 * alone. Throws a PackageRefusal.
 */
export async function findPackage(
  wanted: string,
  options: { readonly listPath: string; readonly apiVersions: readonly number[] },
): Promise<FoundPackage> {
  const { folder, text } = await manifestText(wanted, options.listPath);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new PackageRefusal(
      `${join(folder, "package.json")} is no JSON (${error instanceof Error ? error.message : ""}). Install the package again.`,
    );
  }
  const check = readPackageManifest(document, options.apiVersions);
  if (!check.ok) throw new PackageRefusal(`${join(folder, "package.json")} does not fit: ${check.problems.join("; ")}`);
  const { name, version, manifest } = check;
  return { folder, name, version, manifest, module: await moduleOf(folder, manifest.entry) };
}

async function manifestText(wanted: string, listPath: string): Promise<{ readonly folder: string; readonly text: string }> {
  const looked = foldersFor(wanted, listPath);
  for (const folder of looked) {
    try {
      const text = await readFile(join(folder, "package.json"), "utf8");
      if (Buffer.byteLength(text) > MANIFEST_MAX_BYTES)
        throw new PackageRefusal(`${join(folder, "package.json")} is larger than ${MANIFEST_MAX_BYTES / 1_024 / 1_024} MiB.`);
      // Links are followed once: what is checked is what is imported.
      return { folder: await realpath(folder), text };
    } catch (error) {
      if (error instanceof PackageRefusal) throw error;
    }
  }
  const isPath = isPathName(wanted);
  throw new PackageRefusal(
    isPath
      ? `there is no package.json in ${looked[0] ?? wanted}. Correct the path; it is seen from ${dirname(listPath)}.`
      : `it is not installed for ${listPath}. Install it there (npm install --prefix ${dirname(listPath)} ${wanted}), then run: quiesce connector reload`,
  );
}

/** Not by `require.resolve` of the package: its `exports` need not name its package.json. */
function foldersFor(wanted: string, listPath: string): readonly string[] {
  if (isPathName(wanted)) return [resolve(dirname(listPath), wanted)];
  return (createRequire(listPath).resolve.paths(wanted) ?? []).map((folder) => join(folder, wanted));
}

const isPathName = (wanted: string): boolean => wanted.startsWith(".") || wanted.startsWith("/");

async function moduleOf(folder: string, entry: string): Promise<string> {
  const path = await realpath(join(folder, entry)).catch(() => undefined);
  if (path === undefined)
    throw new PackageRefusal(
      `quiesce.entry of its package.json names ${entry}, which is not there. Build the package, or correct the entry.`,
    );
  if (!path.startsWith(`${folder}${sep}`)) throw new PackageRefusal(`quiesce.entry of its package.json leads out of the package: ${path}.`);
  return pathToFileURL(path).href;
}
