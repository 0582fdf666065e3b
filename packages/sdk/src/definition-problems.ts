const STABILITIES = ["experimental", "beta", "stable", "deprecated"];
const INFO_NAMES = [
  "apiVersion",
  "id",
  "version",
  "displayName",
  "docs",
  "stability",
  "config",
  "secrets",
  "configVersion",
  "migrate",
  "egress",
  "limits",
  "close",
];
const ID = /^[a-z][a-z0-9-]{1,40}$/u;
const SEMVER = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/u;
const MAX_BATCH = 10_000;

/**
 * Everything that is wrong with a connector's definition, one sentence each: what was found and what was expected. Types
 * catch most of it for authors who compile; this is for those who do not, and for what types cannot say.
 */
export function definitionProblems(definition: unknown, apiVersion: number, facetNames: readonly string[]): string[] {
  if (typeof definition !== "object" || definition === null) {
    return [`defineConnector takes an object, found ${show(definition)}`];
  }
  const found = definition as Record<string, unknown>;
  const problems: string[] = [];
  const expect = (name: string, good: boolean, expected: string): void => {
    if (!good) problems.push(`${name}: found ${show(found[name])}, expected ${expected}`);
  };

  expect("apiVersion", found["apiVersion"] === apiVersion, String(apiVersion));
  expect("id", matches(found["id"], ID), "2 to 41 lower-case letters, digits and dashes, a letter first");
  expect("version", matches(found["version"], SEMVER), 'a semantic version such as "1.0.0"');
  expect("displayName", typeof found["displayName"] === "string" && found["displayName"].trim() !== "", "a name for people");
  expect("stability", STABILITIES.includes(String(found["stability"])), STABILITIES.join(", "));
  expect("config", isSchema(found["config"]), "a zod schema of an object, made by z.object({...})");
  expect("secrets", isSchema(found["secrets"]), "a zod schema of an object; z.object({}) if there are none");
  expect("egress", typeof found["egress"] === "function", "a function from the configuration to the origins it may reach");
  const configVersion = found["configVersion"] ?? 1;
  expect("configVersion", Number.isInteger(configVersion) && Number(configVersion) >= 1, "a whole number from 1");
  if (Number(configVersion) > 1) {
    expect("migrate", typeof found["migrate"] === "function", `a function, because configVersion is ${show(configVersion)}`);
  }
  return [...problems, ...facetProblems(found, facetNames), ...unknownNames(found, [...INFO_NAMES, ...facetNames])];
}

function facetProblems(found: Record<string, unknown>, facetNames: readonly string[]): string[] {
  const present = facetNames.filter((name) => found[name] !== undefined);
  if (present.length === 0) return [`facets: found none, expected at least one of ${facetNames.join(", ")}: without one it can do nothing`];
  const problems = present
    .filter((name) => name !== "write" && typeof found[name] !== "function")
    .map((name) => `${name}: found ${show(found[name])}, expected a function`);
  if (found["listKeys"] !== undefined && found["read"] === undefined)
    problems.push("listKeys: found without read; keys are listed to compare with what is read");
  const write = found["write"];
  if (write === undefined) return problems;
  if (typeof write !== "object" || write === null)
    return [...problems, `write: found ${show(write)}, expected { idempotency, maxBatch, apply }`];
  const { idempotency, maxBatch, apply } = write as Record<string, unknown>;
  if (!["key", "upsert", "none"].includes(String(idempotency)))
    problems.push(`write.idempotency: found ${show(idempotency)}, expected "key", "upsert" or "none"`);
  if (!Number.isInteger(maxBatch) || Number(maxBatch) < 1 || Number(maxBatch) > MAX_BATCH)
    problems.push(`write.maxBatch: found ${show(maxBatch)}, expected a whole number from 1 to ${MAX_BATCH}`);
  if (typeof apply !== "function") problems.push(`write.apply: found ${show(apply)}, expected a function`);
  return problems;
}

function unknownNames(found: Record<string, unknown>, known: readonly string[]): string[] {
  return Object.keys(found)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const meant = known.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
      return `${name}: not a member of a connector${meant === undefined ? "" : `; did you mean ${meant}?`}`;
    });
}

function isSchema(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("~standard" in value)) return false;
  return "def" in value && Reflect.get(Object(value.def), "type") === "object";
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === "string" && pattern.test(value);
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return `"${value.slice(0, 60)}"`;
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  if (typeof value === "function") return "a function";
  return Array.isArray(value) ? "an array" : "an object";
}
