import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { DomainError, privateHostsSchema, retentionDays, traceRetentionDays } from "@quiesce/core";
import { z } from "zod";
import { type SignInConfig, signInOf, signInSettings } from "./access/sign-in-settings.js";
import { CONNECTOR_LIST_NAME } from "./connector-host/packages/connector-list.js";
import { type ApiLimits, apiLimitSettings, apiLimitsOf } from "./http/api-limits.js";
import { isSubnet } from "./http/client-address.js";
import { isOrigin } from "./http/cors.js";

const number = (minimum: number, maximum: number, fallback: number) => {
  const expected = `Expected a whole number from ${minimum} to ${maximum}.`;
  return z.coerce.number(expected).int(expected).min(minimum, expected).max(maximum, expected).default(fallback);
};

/** A list in one variable, separated by commas. */
const listOf = (isFit: (text: string) => boolean, expected: string) =>
  z
    .string()
    .default("")
    .transform((text) =>
      text
        .split(",")
        .map((one) => one.trim())
        .filter((one) => one !== ""),
    )
    .refine((list) => list.every(isFit), { message: expected });

/** What one server can be told, each from one environment variable. Units are in the names; the defaults suit one machine. */
const configSchema = z.object({
  PORT: number(0, 65_535, 4_000).describe("TCP port of GraphQL, REST and the health pages; 0 takes a free one."),
  HOST: z.string().min(1).default("127.0.0.1").describe("Address to listen on; 0.0.0.0 for every network."),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "Expected postgres://user:password@host:port/database.")
    .optional()
    .describe("PostgreSQL 15 or newer; without it the embedded one is started."),
  QUIESCE_DATA_DIR: z.string().min(1).optional().describe("Where the embedded PostgreSQL and the master key live."),
  QUIESCE_MASTER_KEY: z
    .string()
    .min(1)
    .optional()
    .describe("Base64 of the 32 bytes that seal secrets; without it a key file in the data folder is made."),
  QUIESCE_OTHER_MASTER_KEYS: z
    .string()
    .default("")
    .transform((text) =>
      text
        .split(",")
        .map((key) => key.trim())
        .filter((key) => key !== ""),
    )
    .pipe(z.array(z.string()).max(10, "Expected at most 10 keys."))
    .describe(
      "Further master keys that open secrets and seal none, separated by commas: the next one, or those before; see `quiesce key`.",
    ),
  QUIESCE_LOG_LEVEL: z.enum(["silent", "error", "warn", "info", "debug"]).default("info").describe("How much to log."),
  QUIESCE_LOG_FORMAT: z
    .enum(["auto", "json", "text"])
    .default("auto")
    .describe("json writes one object a line, text a line for people; auto is text on a terminal and json elsewhere."),
  QUIESCE_MAX_CONCURRENT_RUNS: number(1, 2_000, 50).describe("Runs that this server executes at once."),
  QUIESCE_LEASE_SECONDS: number(3, 600, 30).describe("How long this server's runs live without a renewal of its lease."),
  QUIESCE_STOP_GRACE_SECONDS: number(0, 600, 3).describe("How long runs in flight may finish when the server stops."),
  QUIESCE_RUN_RETENTION_DAYS: number(retentionDays.run.least, retentionDays.run.most, retentionDays.run.usual).describe(
    "For how many days runs and the ledger are kept, unless the deployment's own setting says otherwise.",
  ),
  QUIESCE_EVENT_RETENTION_DAYS: number(retentionDays.event_log.least, retentionDays.event_log.most, retentionDays.event_log.usual).describe(
    "For how many days live events are kept, and cursors are good; likewise.",
  ),
  QUIESCE_SAMPLE_RETENTION_DAYS: number(
    retentionDays.kpi_sample.least,
    retentionDays.kpi_sample.most,
    retentionDays.kpi_sample.usual,
  ).describe("For how many days samples are kept one by one; their sums stay for longer."),
  QUIESCE_TRACE_DAYS: number(traceRetentionDays.least, traceRetentionDays.most, traceRetentionDays.usual).describe(
    "For how many days it is known what became of each record; 0 notes nothing.",
  ),
  QUIESCE_ROLES: z
    .string()
    .default("api,dispatcher")
    .transform((text) => text.split(",").map((role) => role.trim()))
    .pipe(z.array(z.enum(["api", "dispatcher"])).min(1))
    .describe("What this server does: api, dispatcher or both."),
  QUIESCE_ZONE_DATA_DIR: z
    .string()
    .min(1)
    .optional()
    .describe("A folder of TZif files with a version, to use instead of the packaged time zone data."),
  TZDIR: z.string().min(1).default("/usr/share/zoneinfo").describe("The system's time zone data, used when it is newer than the packaged."),
  QUIESCE_ALLOW_PRIVATE_HOSTS: z
    .string()
    .default("")
    .transform((text) =>
      text
        .split(",")
        .map((host) => host.trim())
        .filter((host) => host !== ""),
    )
    .pipe(privateHostsSchema)
    .describe(
      "Names that may lead endpoints, webhooks and calendars into private networks, separated by commas: erp.example.lan, *.example.lan.",
    ),
  QUIESCE_CONNECTORS: z
    .string()
    .min(1)
    .optional()
    .describe("The list of connector packages; without it quiesce.connectors.json in the data folder, if there is one."),
  QUIESCE_AUDIT_HEAD_FILE: z
    .string()
    .min(1)
    .optional()
    .describe("A file that signed heads of the audit trail are appended to, best on another machine's storage; none when left out."),
  QUIESCE_AUDIT_HEAD_MINUTES: number(1, 1_440, 60).describe(
    "How often a head of the audit trail is handed out, to the file and to webhooks that name audit.head.",
  ),
  QUIESCE_CORS_ORIGINS: listOf(
    isOrigin,
    "Expected origins as browsers send them, separated by commas: https://ops.example.com, with no path, no / at the end and no *.",
  ).describe("Web origins that may call the API from a browser, separated by commas."),
  QUIESCE_TRUSTED_PROXIES: listOf(
    isSubnet,
    "Expected addresses or subnets, separated by commas: 10.0.0.5, 10.1.0.0/16, fd00::/8.",
  ).describe("Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, by address or subnet, separated by commas."),
  QUIESCE_GRAPHIQL: z
    .enum(["auto", "true", "false"])
    .default("auto")
    .describe("Whether /graphql shows GraphiQL to a browser; auto while HOST is a loopback address and no proxy is named."),
  QUIESCE_PERSISTED_DOCUMENTS: z
    .string()
    .min(1)
    .optional()
    .describe("A JSON file of GraphQL documents by their ids, as client generators write it; clients may send `documentId` for the text."),
  QUIESCE_PERSISTED_DOCUMENTS_ONLY: z
    .enum(["true", "false"])
    .default("false")
    .describe("true refuses every other document, apart from the command line's own."),
  ...signInSettings,
  ...apiLimitSettings,
});

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly masterKey: string | undefined;
  /** Keys that open secrets and seal none. */
  readonly otherMasterKeys: readonly string[];
  readonly logLevel: "silent" | "error" | "warn" | "info" | "debug";
  readonly logFormat: "auto" | "json" | "text";
  readonly maxConcurrentRuns: number;
  readonly leaseSeconds: number;
  readonly stopGraceSeconds: number;
  readonly runRetentionDays: number;
  readonly eventRetentionDays: number;
  readonly sampleRetentionDays: number;
  readonly traceDays: number;
  readonly roles: readonly ("api" | "dispatcher")[];
  readonly privateHosts: readonly string[];
  /** The list of connector packages, and whether somebody named it. */
  readonly connectorList: { readonly path: string; readonly required: boolean };
  /** Signed heads of the audit trail are appended to it. */
  readonly auditHeadFile: string | undefined;
  readonly auditHeadMinutes: number;
  readonly corsOrigins: readonly string[];
  /** How people sign in, and for how long. */
  readonly signIn: SignInConfig;
  /** Addresses and subnets of the proxies in front. */
  readonly trustedProxies: readonly string[];
  /** Whether the GraphiQL page is shown. */
  readonly graphiql: boolean;
  readonly limits: ApiLimits;
  /** A file of documents by their ids. */
  readonly persistedDocuments: string | undefined;
  readonly persistedDocumentsOnly: boolean;
  readonly zoneDataDir: string | undefined;
  readonly systemZoneDataDir: string;
}

/** What these hold is not repeated in a message. */
const SECRET_VARIABLES: ReadonlySet<string> = new Set([
  "DATABASE_URL",
  "QUIESCE_OIDC_CLIENT_SECRET",
  "QUIESCE_MASTER_KEY",
  "QUIESCE_OTHER_MASTER_KEYS",
]);

/** Reads the environment, the only place that does. A value that does not fit is refused with its name and what was expected. */
export function readConfig(environment: { readonly [name: string]: string | undefined } = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""));
  const result = configSchema.safeParse(given);
  if (!result.success) {
    const issue = result.error.issues[0];
    const name = String(issue?.path[0] ?? "");
    const found = SECRET_VARIABLES.has(name) ? "" : ` Found "${given[name] ?? ""}".`;
    throw new DomainError("QSC_CONFIG_INVALID", `The environment variable ${name} does not fit: ${issue?.message ?? "unknown"}${found}`, {
      field: name,
    });
  }
  const values = result.data;
  const signIn = signInOf(values);
  if ("name" in signIn)
    throw new DomainError("QSC_CONFIG_INVALID", `The environment variable ${signIn.name} does not fit: ${signIn.message}`, {
      field: signIn.name,
    });
  if (values.QUIESCE_CALLER_COST_PER_MINUTE < values.QUIESCE_MAX_QUERY_COST)
    throw new DomainError(
      "QSC_CONFIG_INVALID",
      `The environment variable QUIESCE_CALLER_COST_PER_MINUTE does not fit: Expected at least QUIESCE_MAX_QUERY_COST, ${values.QUIESCE_MAX_QUERY_COST}. Found "${values.QUIESCE_CALLER_COST_PER_MINUTE}".`,
      { field: "QUIESCE_CALLER_COST_PER_MINUTE" },
    );
  return {
    port: values.PORT,
    host: values.HOST,
    databaseUrl: values.DATABASE_URL,
    dataDir: dataDirOf(values),
    masterKey: values.QUIESCE_MASTER_KEY,
    otherMasterKeys: values.QUIESCE_OTHER_MASTER_KEYS,
    logLevel: values.QUIESCE_LOG_LEVEL,
    logFormat: values.QUIESCE_LOG_FORMAT,
    maxConcurrentRuns: values.QUIESCE_MAX_CONCURRENT_RUNS,
    leaseSeconds: values.QUIESCE_LEASE_SECONDS,
    stopGraceSeconds: values.QUIESCE_STOP_GRACE_SECONDS,
    runRetentionDays: values.QUIESCE_RUN_RETENTION_DAYS,
    eventRetentionDays: values.QUIESCE_EVENT_RETENTION_DAYS,
    sampleRetentionDays: values.QUIESCE_SAMPLE_RETENTION_DAYS,
    traceDays: values.QUIESCE_TRACE_DAYS,
    roles: values.QUIESCE_ROLES,
    privateHosts: values.QUIESCE_ALLOW_PRIVATE_HOSTS,
    connectorList: {
      path: resolve(values.QUIESCE_CONNECTORS ?? join(dataDirOf(values), CONNECTOR_LIST_NAME)),
      required: values.QUIESCE_CONNECTORS !== undefined,
    },
    auditHeadFile: values.QUIESCE_AUDIT_HEAD_FILE,
    auditHeadMinutes: values.QUIESCE_AUDIT_HEAD_MINUTES,
    corsOrigins: values.QUIESCE_CORS_ORIGINS,
    signIn,
    trustedProxies: values.QUIESCE_TRUSTED_PROXIES,
    graphiql: values.QUIESCE_GRAPHIQL === "auto" ? isAlone(values) : values.QUIESCE_GRAPHIQL === "true",
    limits: apiLimitsOf(values),
    persistedDocuments: values.QUIESCE_PERSISTED_DOCUMENTS,
    persistedDocumentsOnly: values.QUIESCE_PERSISTED_DOCUMENTS_ONLY === "true",
    zoneDataDir: values.QUIESCE_ZONE_DATA_DIR,
    systemZoneDataDir: values.TZDIR,
  };
}

function dataDirOf({ QUIESCE_DATA_DIR: given }: { readonly QUIESCE_DATA_DIR?: string | undefined }): string {
  return given ?? join(homedir(), ".quiesce");
}

/** Whether nobody but this machine's own people can ask. */
function isAlone(values: { readonly HOST: string; readonly QUIESCE_TRUSTED_PROXIES: readonly string[] }): boolean {
  return values.QUIESCE_TRUSTED_PROXIES.length === 0 && /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(values.HOST);
}

/** Every setting with its meaning and, where it has a fixed one, its default, for `quiesce start --help` and the docs. */
export function configDescription(): readonly { readonly name: string; readonly description: string; readonly default: string | null }[] {
  return Object.entries(configSchema.shape).map(([name, schema]) => {
    const fallback = schema.parse(undefined);
    return {
      name,
      description: schema.description ?? "",
      default: fallback === undefined || String(fallback) === "" ? null : String(fallback),
    };
  });
}
