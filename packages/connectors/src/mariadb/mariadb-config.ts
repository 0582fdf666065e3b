import { isIP } from "node:net";
import { z } from "@quiesce/sdk";
import { certificateFields, connectionFields, portField } from "../network/connection-settings.js";
import { streamList } from "../streams/stream-list.js";

const identifier = z
  .string()
  .min(1)
  .max(64)
  .refine((name) => !name.includes("\0"), { message: "has no zero character" });

const stream = z.object({
  name: z.string().min(1).max(100).describe("The stream's name; often that of the table."),
  table: identifier.describe("A table or view of the database."),
  key: z.array(identifier).min(1).max(10).describe("The columns that identify a row; written to, they need a unique index of just them."),
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
});

/** Configuration of a MariaDB or MySQL endpoint. */
export const mariadbConfig = z
  .object({
    ...connectionFields,
    port: portField(3306),
    database: identifier,
    user: z.string().min(1).max(128),
    statementTimeoutSeconds: z.int().min(1).max(3_600).default(60),
    streams: streamList(stream),
  })
  // The protocol's client compares a certificate with a name, never with an address.
  .refine(({ host, tls }) => tls !== "verify-full" || isIP(host) === 0, {
    message: "is an address, and tls verify-full compares the certificate with a name. Give the name, or set tls to require",
    path: ["host"],
  });

/** Secrets of a MariaDB or MySQL endpoint. */
export const mariadbSecrets = z.object({
  password: z.string().min(1).optional().describe("Absent where the server trusts the client by other means."),
  ...certificateFields,
});

export type MariadbConfig = z.output<typeof mariadbConfig>;
export type MariadbSecrets = z.output<typeof mariadbSecrets>;
export type MariadbStream = MariadbConfig["streams"][number];
