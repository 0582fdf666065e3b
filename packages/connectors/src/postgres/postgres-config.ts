import { z } from "@quiesce/sdk";

/** The types `createTable` can give a column. */
const COLUMN_TYPES = [
  "text",
  "integer",
  "bigint",
  "numeric",
  "double precision",
  "boolean",
  "date",
  "timestamptz",
  "jsonb",
  "uuid",
] as const;

// PostgreSQL cuts longer names off silently; then two columns could become one.
const identifier = z
  .string()
  .min(1)
  .refine((name) => new TextEncoder().encode(name).byteLength <= 63 && !name.includes("\0"), {
    message: "has at most 63 bytes and no zero byte",
  });

const stream = z
  .object({
    name: z.string().min(1).max(100).describe("The stream's name; often that of the table."),
    schema: identifier.default("public"),
    table: identifier.describe("A table, view or materialised view. Written exactly as it is stored: upper case counts."),
    key: z.array(identifier).min(1).max(10).describe("The columns that identify a row; written to, they need a unique index."),
    cursorColumn: identifier
      .optional()
      .describe(
        "A column that grows with every change, such as updated_at, with an index on it and the key. Absent: everything is read each time.",
      ),
    overlapSeconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(10)
      .describe("For a time column: how long a transaction may stay open before its rows become visible. Newer rows are read again."),
    createTable: z
      .boolean()
      .default(false)
      .describe("Create the table from `columns` before the first write if it is absent. Nothing is ever changed or dropped."),
    columns: z
      .array(z.object({ name: identifier, type: z.enum(COLUMN_TYPES) }))
      .max(1_000)
      .optional()
      .describe("The columns of a table to create."),
  })
  .superRefine((value, context) => {
    if (!value.createTable) return;
    const columns = (value.columns ?? []).map((column) => column.name);
    const missing = value.key.filter((column) => !columns.includes(column));
    if (columns.length === 0 || missing.length > 0) {
      context.addIssue({
        code: "custom",
        path: ["columns"],
        message: `createTable needs columns, among them the key; missing: ${missing.join(", ")}`,
      });
    }
  });

const rotation = z
  .object({
    roles: z
      .tuple([identifier, identifier])
      .refine(([a, b]) => a !== b, { message: "has the same role twice" })
      .describe("Two login roles with the same rights that take turns: one is in use while the other is given a new password."),
    as: identifier.describe(
      "The role that gives them passwords: with CREATEROLE, and ADMIN OPTION on both. Its password is the secret rotatorPassword.",
    ),
  })
  .refine(({ roles, as }) => !roles.includes(as), { message: "the role `as` cannot be one of roles", path: ["as"] });

/** Configuration of a PostgreSQL endpoint. */
export const postgresConfig = z
  .object({
    host: z.string().min(1).max(255),
    port: z.int().min(1).max(65_535).default(5432),
    database: identifier,
    user: identifier.describe("Who logs in; with rotation the one of its roles that does so at first."),
    setRole: identifier.optional().describe("A role to take on after the login, so that what is created belongs to it whoever logged in."),
    ssl: z
      .enum(["disable", "require", "verify-full"])
      .default("verify-full")
      .describe("verify-full checks certificate and name; require encrypts without checking; disable is for the same machine."),
    ca: z.string().max(100_000).optional().describe("Certificates to trust instead of the system's, as PEM."),
    rotation: rotation.optional().describe("How passwords are renewed by themselves."),
    connectTimeoutSeconds: z.int().min(1).max(60).default(10),
    statementTimeoutSeconds: z.int().min(1).max(3_600).default(60),
    streams: z
      .array(stream)
      .min(1)
      .max(500)
      .refine((streams) => new Set(streams.map((one) => one.name)).size === streams.length, {
        message: "has two streams of one name",
      }),
  })
  .refine(({ user, rotation: found }) => found === undefined || found.roles.includes(user), {
    message: "is one of rotation.roles",
    path: ["user"],
  });

/** Secrets of a PostgreSQL endpoint. */
export const postgresSecrets = z.object({
  password: z.string().min(1).optional().describe("Absent where the server trusts the client by other means."),
  rotatorPassword: z.string().min(1).optional().describe("The password of rotation.as."),
  // One letter, because a role's name would be hidden in every text that has it as a word.
  turn: z.enum(["a", "b"]).optional().describe("Which of rotation.roles logs in, the first or the second; that of `user` if absent."),
});

export type PostgresConfig = z.output<typeof postgresConfig>;
export type PostgresSecrets = z.output<typeof postgresSecrets>;
/** Who logs in, and which of the two roles that is. */
export function loginOf(config: PostgresConfig, secrets: PostgresSecrets): { readonly user: string; readonly turn: "a" | "b" } {
  const [a, b] = config.rotation?.roles ?? [config.user, config.user];
  const turn = secrets.turn ?? (config.user === b && a !== b ? "b" : "a");
  return { user: turn === "a" ? a : b, turn };
}

export type PostgresStream = PostgresConfig["streams"][number];
