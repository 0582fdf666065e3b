import type { Manifest, PackageManifestCheck } from "../index.js";

/** Where what a package says of its connector differs from what the connector says of itself; one sentence each. */
export function manifestDifferences(found: Extract<PackageManifestCheck, { readonly ok: true }>, manifest: Manifest): readonly string[] {
  const differences: string[] = [];
  const compare = (name: string, said: unknown, is: unknown): void => {
    if (JSON.stringify(said) !== JSON.stringify(is))
      differences.push(`${name}: package.json says ${JSON.stringify(said)}, the connector ${JSON.stringify(is)}`);
  };
  compare("version", found.version, manifest.version);
  compare("quiesce.apiVersion", found.manifest.apiVersion, manifest.apiVersion);
  compare("quiesce.id", found.manifest.id, manifest.id);
  compare("quiesce.stability", found.manifest.stability, manifest.stability);
  compare("quiesce.facets", found.manifest.facets.toSorted(), manifest.facets.toSorted());
  return differences;
}
