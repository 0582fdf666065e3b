import { homedir } from "node:os";
import { join } from "node:path";
import { DomainError, privateHostsSchema, retentionDays } from "@quiesce/core";
import { z } from "zod";

const number = (minimum: number, maximum: number, fallback: number) => {
  const expected = `Expected a whole number from ${minimum} to ${maximum}.`;
  return z.coerce.number(expected).int(expected).min(minimum, expected).max(maximum, expected).default(fallback);
};

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
  QUIESCE_AUDIT_HEAD_FILE: z
    .string()
    .min(1)
    .optional()
    .describe("A file that signed heads of the audit trail are appended to, best on another machine's storage; none when left out."),
  QUIESCE_AUDIT_HEAD_MINUTES: number(1, 1_440, 60).describe(
    "How often a head of the audit trail is handed out, to the file and to webhooks that name audit.head.",
  ),
  QUIESCE_CORS_ORIGINS: z
    .string()
    .default("")
    .transform((text) =>
      text
        .split(",")
        .map((origin) => origin.trim())
        .filter((origin) => origin !== ""),
    )
    .describe("Web origins that may call the API from a browser, separated by commas."),
  QUIESCE_PERSISTED_DOCUMENTS: z
    .string()
    .min(1)
    .optional()
    .describe("A JSON file of GraphQL documents by their ids, as client generators write it; clients may send `documentId` for the text."),
  QUIESCE_PERSISTED_DOCUMENTS_ONLY: z
    .enum(["true", "false"])
    .default("false")
    .describe("true refuses every other document, apart from the command line's own."),
});

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly masterKey: string | undefined;
  readonly logLevel: "silent" | "error" | "warn" | "info" | "debug";
  readonly logFormat: "auto" | "json" | "text";
  readonly maxConcurrentRuns: number;
  readonly leaseSeconds: number;
  readonly stopGraceSeconds: number;
  readonly runRetentionDays: number;
  readonly eventRetentionDays: number;
  readonly roles: readonly ("api" | "dispatcher")[];
  readonly privateHosts: readonly string[];
  /** Signed heads of the audit trail are appended to it. */
  readonly auditHeadFile: string | undefined;
  readonly auditHeadMinutes: number;
  readonly corsOrigins: readonly string[];
  /** A file of documents by their ids. */
  readonly persistedDocuments: string | undefined;
  readonly persistedDocumentsOnly: boolean;
  readonly zoneDataDir: string | undefined;
  readonly systemZoneDataDir: string;
}

/** What these hold is not repeated in a message. */
const SECRET_VARIABLES: ReadonlySet<string> = new Set(["DATABASE_URL", "QUIESCE_MASTER_KEY"]);

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
  return {
    port: values.PORT,
    host: values.HOST,
    databaseUrl: values.DATABASE_URL,
    dataDir: values.QUIESCE_DATA_DIR ?? join(homedir(), ".quiesce"),
    masterKey: values.QUIESCE_MASTER_KEY,
    logLevel: values.QUIESCE_LOG_LEVEL,
    logFormat: values.QUIESCE_LOG_FORMAT,
    maxConcurrentRuns: values.QUIESCE_MAX_CONCURRENT_RUNS,
    leaseSeconds: values.QUIESCE_LEASE_SECONDS,
    stopGraceSeconds: values.QUIESCE_STOP_GRACE_SECONDS,
    runRetentionDays: values.QUIESCE_RUN_RETENTION_DAYS,
    eventRetentionDays: values.QUIESCE_EVENT_RETENTION_DAYS,
    roles: values.QUIESCE_ROLES,
    privateHosts: values.QUIESCE_ALLOW_PRIVATE_HOSTS,
    auditHeadFile: values.QUIESCE_AUDIT_HEAD_FILE,
    auditHeadMinutes: values.QUIESCE_AUDIT_HEAD_MINUTES,
    corsOrigins: values.QUIESCE_CORS_ORIGINS,
    persistedDocuments: values.QUIESCE_PERSISTED_DOCUMENTS,
    persistedDocumentsOnly: values.QUIESCE_PERSISTED_DOCUMENTS_ONLY === "true",
    zoneDataDir: values.QUIESCE_ZONE_DATA_DIR,
    systemZoneDataDir: values.TZDIR,
  };
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
