export const STABILITIES = ["experimental", "beta", "stable", "deprecated"];
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
  "auth",
  "classify",
  "limits",
  "close",
];
export const CONNECTOR_ID = /^[a-z][a-z0-9-]{1,40}$/u;
export const SEMVER = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/u;
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
  expect("id", matches(found["id"], CONNECTOR_ID), "2 to 41 lower-case letters, digits and dashes, a letter first");
  expect("version", matches(found["version"], SEMVER), 'a semantic version such as "1.0.0"');
  expect("displayName", typeof found["displayName"] === "string" && found["displayName"].trim() !== "", "a name for people");
  expect("stability", typeof found["stability"] === "string" && STABILITIES.includes(found["stability"]), STABILITIES.join(", "));
  expect("config", isSchema(found["config"]), "a zod schema of an object, made by z.object({...})");
  expect("secrets", isSchema(found["secrets"]), "a zod schema of an object; z.object({}) if there are none");
  expect("egress", typeof found["egress"] === "function", "a function from the configuration to the origins it may reach");
  for (const name of ["auth", "classify", "close", "migrate"])
    expect(name, found[name] === undefined || typeof found[name] === "function", "a function");
  expect("docs", found["docs"] === undefined || typeof found["docs"] === "string", "the address of its documentation");
  const configVersion = found["configVersion"] ?? 1;
  expect("configVersion", Number.isInteger(configVersion) && Number(configVersion) >= 1, "a whole number from 1");
  if (Number(configVersion) > 1 && found["migrate"] === undefined) {
    expect("migrate", false, `a function, because configVersion is ${show(configVersion)}`);
  }
  problems.push(...limitProblems(found["limits"]), ...facetProblems(found, facetNames));
  return [...problems, ...unknownNames(found, [...INFO_NAMES, ...facetNames])];
}

function facetProblems(found: Record<string, unknown>, facetNames: readonly string[]): string[] {
  const present = facetNames.filter((name) => found[name] !== undefined);
  if (present.length === 0) return [`facets: found none, expected at least one of ${facetNames.join(", ")}: without one it can do nothing`];
  const problems = present
    .filter((name) => name !== "write" && name !== "rotate" && !Object.hasOwn(CAPABILITIES, name) && typeof found[name] !== "function")
    .map((name) => `${name}: found ${show(found[name])}, expected a function`);
  for (const [name, capability] of Object.entries(CAPABILITIES)) problems.push(...capabilityProblems(name, found[name], capability));
  if (found["listKeys"] !== undefined && found["read"] === undefined)
    problems.push("listKeys: found without read; keys are listed to compare with what is read");
  problems.push(...rotateProblems(found));
  problems.push(...writeProblems(found["write"]));
  return problems;
}

function limitProblems(limits: unknown): readonly string[] {
  if (limits === undefined) return [];
  if (typeof limits !== "object" || limits === null) return [`limits: found ${show(limits)}, expected { requestsPerSecond, concurrency }`];
  const { requestsPerSecond, concurrency, ...others } = limits as Record<string, unknown>;
  const problems = foreignMembers("limits", others, ["requestsPerSecond", "concurrency"]);
  if (requestsPerSecond !== undefined && !(Number.isFinite(requestsPerSecond) && Number(requestsPerSecond) > 0))
    problems.push(`limits.requestsPerSecond: found ${show(requestsPerSecond)}, expected a number above 0`);
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && Number(concurrency) >= 1))
    problems.push(`limits.concurrency: found ${show(concurrency)}, expected a whole number from 1`);
  return problems;
}

function writeProblems(write: unknown): readonly string[] {
  if (write === undefined) return [];
  if (typeof write !== "object" || write === null) return [`write: found ${show(write)}, expected { idempotency, maxBatch, apply }`];
  const { idempotency, idempotencyOf, maxBatch, apply, ...others } = write as Record<string, unknown>;
  const problems = foreignMembers("write", others, ["idempotency", "idempotencyOf", "maxBatch", "apply"]);
  if (typeof idempotency !== "string" || !["key", "upsert", "none"].includes(idempotency))
    problems.push(`write.idempotency: found ${show(idempotency)}, expected "key", "upsert" or "none"`);
  if (idempotencyOf !== undefined && typeof idempotencyOf !== "function")
    problems.push(`write.idempotencyOf: found ${show(idempotencyOf)}, expected a function`);
  if (!Number.isInteger(maxBatch) || Number(maxBatch) < 1 || Number(maxBatch) > MAX_BATCH)
    problems.push(`write.maxBatch: found ${show(maxBatch)}, expected a whole number from 1 to ${MAX_BATCH}`);
  if (typeof apply !== "function") problems.push(`write.apply: found ${show(apply)}, expected a function`);
  return problems;
}

function foreignMembers(facet: string, others: Record<string, unknown>, names: readonly string[]): string[] {
  return Object.keys(others).map((name) => `${facet}.${name}: not a member of ${facet}, which has ${names.join(", ")}`);
}

/** Facets that are objects: which functions and webhooks they must have, may have, and of which at least one. */
const CAPABILITIES: { readonly [name: string]: Capability } = {
  push: { needed: ["webhook"] },
  alerts: { optional: ["pull", "webhook", "acknowledge"], oneOf: ["pull", "webhook"] },
  tracker: { needed: ["fields", "whoAmI", "create", "update", "find"], optional: ["changes", "webhook"] },
  calendar: { needed: ["changes"], optional: ["webhook", "approve"] },
  downtime: { needed: ["announce", "withdraw", "list"] },
  reconcile: { optional: ["count", "keys", "digest"], oneOf: ["count", "keys", "digest"] },
};

interface Capability {
  readonly needed?: readonly string[];
  readonly optional?: readonly string[];
  readonly oneOf?: readonly string[];
}

function capabilityProblems(facet: string, found: unknown, { needed = [], optional = [], oneOf = [] }: Capability): readonly string[] {
  if (found === undefined) return [];
  const names = [...needed, ...optional];
  if (typeof found !== "object" || found === null) return [`${facet}: found ${show(found)}, expected an object with ${names.join(", ")}`];
  const members = found as Record<string, unknown>;
  const present = names.filter((name) => members[name] !== undefined);
  const problems = needed
    .filter((name) => !present.includes(name))
    .map((name) => `${facet}.${name}: found nothing, expected ${expectedOf(name)}`);
  if (oneOf.length > 0 && !oneOf.some((name) => present.includes(name)))
    problems.push(`${facet}: found none of ${oneOf.join(", ")}, expected at least one`);
  for (const name of present) {
    const value = members[name];
    if (name === "webhook") problems.push(...webhookProblems(facet, value));
    else if (typeof value !== "function") problems.push(`${facet}.${name}: found ${show(value)}, expected a function`);
  }
  const others = Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)));
  return [...problems, ...foreignMembers(facet, others, names)];
}

function webhookProblems(facet: string, webhook: unknown): readonly string[] {
  if (typeof webhook !== "object" || webhook === null) return [`${facet}.webhook: found ${show(webhook)}, expected { verify, parse }`];
  const members = webhook as Record<string, unknown>;
  return ["verify", "parse", "handshake"]
    .filter((name) => typeof members[name] !== "function" && !(name === "handshake" && members[name] === undefined))
    .map((name) => `${facet}.webhook.${name}: found ${show(members[name])}, expected a function`);
}

function expectedOf(name: string): string {
  return name === "webhook" ? "{ verify, parse }" : "a function";
}

const ROTATE_FUNCTIONS = ["canIssue", "canRevoke", "issue", "revoke"];

function rotateProblems(found: Record<string, unknown>): string[] {
  const { rotate } = found;
  if (rotate === undefined) return [];
  if (typeof rotate !== "object" || rotate === null) return [`rotate: found ${show(rotate)}, expected { secrets, issue, revoke }`];
  const { secrets, ...members } = rotate as Record<string, unknown>;
  const others = Object.fromEntries(Object.entries(members).filter(([name]) => !ROTATE_FUNCTIONS.includes(name)));
  const problems = foreignMembers("rotate", others, ["secrets", ...ROTATE_FUNCTIONS]);
  if (!Array.isArray(secrets) || secrets.length === 0 || secrets.some((name) => typeof name !== "string"))
    problems.push(`rotate.secrets: found ${show(secrets)}, expected the names of the secrets that change together`);
  else problems.push(...unknownSecrets(secrets, found["secrets"]));
  for (const name of ROTATE_FUNCTIONS)
    if (members[name] !== undefined && typeof members[name] !== "function")
      problems.push(`rotate.${name}: found ${show(members[name])}, expected a function`);
  if (found["check"] === undefined) problems.push("rotate: found without check; new secrets are tested with it before they are used");
  return problems;
}

function unknownSecrets(names: readonly string[], schema: unknown): readonly string[] {
  const shape = isSchema(schema) ? Reflect.get(Object(schema), "shape") : undefined;
  if (typeof shape !== "object" || shape === null) return [];
  return names
    .filter((name) => !Object.hasOwn(shape, name))
    .map((name) => `rotate.secrets: found "${name}", expected names of secrets: ${Object.keys(shape).join(", ") || "there are none"}`);
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
