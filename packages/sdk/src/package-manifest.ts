import { API_VERSION, FACET_NAMES, type FacetName, type Stability } from "./definition.js";
import { CONNECTOR_ID, SEMVER, STABILITIES } from "./definition-problems.js";

/** What a connector's `package.json` says under `quiesce`: enough to refuse it before any of its code runs. */
export interface PackageManifest {
  /** The contract it was written for. */
  readonly apiVersion: number;
  /** The connector's id. */
  readonly id: string;
  /** The module that exports the connector as `default`, as a path in the package: `./dist/index.js`. */
  readonly entry: string;
  readonly facets: readonly FacetName[];
  readonly stability: Stability;
}

/** A package's manifest, with its name and version; or everything that is wrong with it, one sentence each, and what to write instead. */
export type PackageManifestCheck =
  | { readonly ok: true; readonly name: string; readonly version: string; readonly manifest: PackageManifest }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads the parsed text of a connector's `package.json`. `apiVersions` are those the reader can work with. */
export function readPackageManifest(packageJson: unknown, apiVersions: readonly number[] = [API_VERSION]): PackageManifestCheck {
  if (!isObject(packageJson)) return { ok: false, problems: ["package.json: found no object"] };
  const { name, version, type, quiesce } = packageJson;
  if (!isObject(quiesce)) {
    return {
      ok: false,
      problems: [
        `package.json has no "quiesce" member, so this is not a connector. A connector's says: ` +
          `"quiesce": { "apiVersion": ${API_VERSION}, "id": "my-system", "entry": "./dist/index.js", "facets": ["check"], "stability": "beta" }`,
      ],
    };
  }
  const problems: string[] = [];
  const expect = (path: string, found: unknown, good: boolean, expected: string): void => {
    if (!good) problems.push(`${path}: found ${show(found)}, expected ${expected}`);
  };
  expect("name", name, typeof name === "string" && name !== "", "the package's name");
  expect("version", version, typeof version === "string" && SEMVER.test(version), 'a semantic version such as "1.0.0"');
  expect("type", type, type === "module", '"module": connectors are ES modules');
  const { apiVersion, id, entry, facets, stability } = quiesce;
  expect(
    "quiesce.apiVersion",
    apiVersion,
    typeof apiVersion === "number" && apiVersions.includes(apiVersion),
    `${apiVersions.join(" or ")}: ${apiVersionAdvice(apiVersion, apiVersions)}`,
  );
  expect(
    "quiesce.id",
    id,
    typeof id === "string" && CONNECTOR_ID.test(id),
    "2 to 41 lower-case letters, digits and dashes, a letter first",
  );
  expect("quiesce.entry", entry, isEntry(entry), 'a path inside the package such as "./dist/index.js"');
  expect("quiesce.stability", stability, typeof stability === "string" && STABILITIES.includes(stability), STABILITIES.join(", "));
  const known: readonly string[] = FACET_NAMES;
  const unknown = Array.isArray(facets) ? facets.filter((facet) => typeof facet !== "string" || !known.includes(facet)) : [];
  expect(
    "quiesce.facets",
    unknown.length > 0 ? unknown[0] : facets,
    Array.isArray(facets) && facets.length > 0 && unknown.length === 0,
    `a list of ${known.join(", ")}`,
  );
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, name: String(name), version: String(version), manifest: quiesce as unknown as PackageManifest };
}

function apiVersionAdvice(found: unknown, supported: readonly number[]): string {
  const highest = Math.max(...supported);
  if (typeof found === "number" && found > highest)
    return "the connector is newer than this server; upgrade the server, or install an older version of the connector";
  if (typeof found === "number" && found < Math.min(...supported))
    return "the connector is too old for this server; install a newer version of it";
  return "the version of the contract that the connector was written for";
}

function isEntry(entry: unknown): boolean {
  return typeof entry === "string" && /^\.\/[^\\]+\.m?js$/u.test(entry) && !entry.split("/").includes("..");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  return JSON.stringify(value).slice(0, 60);
}
