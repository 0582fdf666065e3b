import { z } from "@quiesce/sdk";

const name = z.string().min(1).max(100);
const parameter = z.string().min(1).max(100);
const path = z
  .string()
  .max(2_000)
  .regex(/^\//u, "begins with /")
  .describe("Path below baseUrl, beginning with a slash; may hold a fixed query.");
const dotPath = z.string().max(500).describe("A dotted path into the JSON, such as data.items; empty for the whole.");

const auth = z.discriminatedUnion("type", [
  z.object({ type: z.literal("none") }),
  z.object({
    type: z.literal("header"),
    header: z.string().min(1).max(100).describe("Name of the header; its value is the secret `token`."),
  }),
  z.object({
    type: z.literal("basic"),
    user: z.string().min(1).max(200).describe("The password is the secret `password`."),
  }),
  z.object({ type: z.literal("bearer") }).describe("The token is the secret `token`."),
]);

const sizeParameter = parameter.optional().describe("Query parameter that takes the page size.");
const last = z
  .enum(["empty", "short"])
  .default("empty")
  .describe(
    "Which page is the last: an empty one (always right, one request more), or one shorter than asked for (wrong where the system caps the page size).",
  );

const paging = z.discriminatedUnion("style", [
  z.object({ style: z.literal("none") }).describe("One request gives everything."),
  z.object({
    style: z.literal("page"),
    parameter: parameter.default("page"),
    first: z.int().min(0).max(1).default(1).describe("The number of the first page."),
    sizeParameter,
    last,
  }),
  z.object({ style: z.literal("offset"), parameter: parameter.default("offset"), sizeParameter, last }),
  z.object({
    style: z.literal("token"),
    parameter: parameter.default("cursor"),
    nextPath: dotPath.min(1).describe("Where the answer holds the token of the next page; absent, null or empty on the last."),
    sizeParameter,
  }),
]);

const since = z.object({
  parameter: parameter.describe("Query parameter that asks for what changed at or after an instant."),
  field: dotPath.min(1).describe("The record's field with the instant of its last change."),
  format: z
    .enum(["iso", "epoch-seconds", "epoch-milliseconds"])
    .default("iso")
    .describe("How the field and the parameter write an instant."),
  overlapSeconds: z
    .number()
    .min(0)
    .max(86_400)
    .default(0)
    .describe("Reads so far back before the newest change, where records become visible late. Repeats are harmless."),
});

const write = z.object({
  method: z.enum(["PUT", "POST", "PATCH"]).default("PUT"),
  path: path.describe("{key} stands for the record's key, URL-encoded."),
  delete: z
    .object({ method: z.enum(["DELETE", "POST"]).default("DELETE"), path })
    .optional()
    .describe("How a record is deleted; without it deletions are refused."),
  idempotency: z
    .enum(["upsert", "key", "none"])
    .optional()
    .describe("What a repetition does. If absent: key with idempotencyHeader, upsert for PUT to a path with {key}, else none."),
  idempotencyHeader: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe("Header that takes the idempotency key; a key with other signs than printable ASCII as its SHA-256 in hexadecimal."),
  ifMatch: z.boolean().default(false).describe("Send the version the record was read with as If-Match."),
  remoteIdPath: dotPath.optional().describe("Where the answer holds the id of the written record."),
});

const stream = z.object({
  name,
  path,
  query: z.record(z.string(), z.string()).default({}).describe("Fixed query parameters."),
  recordsPath: dotPath.default("").describe("Where the answer holds the list of records."),
  key: z.array(dotPath.min(1)).min(1).max(10).describe("The fields that identify a record."),
  versionPath: dotPath
    .optional()
    .describe(
      "A field that changes with every change of the record. Absent: with since, the instant of the change and a digest of the record; else none.",
    ),
  deletedPath: dotPath
    .optional()
    .describe(
      'A field that is true, or set, on a record that was deleted. Absent, null, false, 0, and the texts "", "0" and "false" are not deleted.',
    ),
  paging: paging.default({ style: "none" }),
  since: since.optional().describe("Read only what changed. Absent: everything, each time."),
  write: write.optional().describe("How records are written; without it the stream is read-only."),
});

const call = z.object({
  method: z.enum(["POST", "PUT", "PATCH", "DELETE"]).default("POST"),
  path: path.describe("{key}, {token} and {tokenId} stand for the rotation, the token and its id, URL-encoded."),
  body: z.json().optional().describe("JSON to send; {key}, {token} and {tokenId} stand for the same in its texts."),
});

const rotation = z.object({
  issue: call
    .extend({
      tokenPath: dotPath.default("token").describe("Where the answer holds the new token."),
      tokenIdPath: dotPath.min(1).optional().describe("Where it holds the token's id, if it is ended by that."),
      expiresAtPath: dotPath.min(1).optional().describe("Where it holds the token's end: ISO 8601, or seconds since 1970."),
      idempotencyHeader: z
        .string()
        .min(1)
        .max(100)
        .optional()
        .describe("Header that takes {key}: the system then gives one token however often it is asked."),
    })
    .describe("Asks for a new token, with the old one."),
  discard: call
    .extend({ method: call.shape.method.default("DELETE") })
    .optional()
    .describe("Takes away what an earlier try left; called before every issue. By {key}, which the token was given as its name."),
  revoke: call
    .extend({ method: call.shape.method.default("DELETE") })
    .optional()
    .describe("Ends a token, with the one that stays."),
});

/** Configuration of a JSON over REST endpoint. */
export const httpConfig = z.object({
  baseUrl: z.url({ protocol: /^https?$/u }).describe("Where the API is, such as https://shop.example.com/api/v2."),
  auth: auth.default({ type: "none" }),
  ca: z.string().max(100_000).optional().describe("Certificates to trust instead of the system's, as PEM."),
  rotation: rotation.optional().describe("How the token is renewed by itself; for auth bearer and header."),
  headers: z.record(z.string(), z.string()).default({}).describe("Fixed headers. Never secrets: they are shown."),
  checkPath: path.optional().describe("What `check` asks for; the first stream if absent."),
  streams: z
    .array(stream)
    .min(1)
    .max(200)
    .refine((streams) => new Set(streams.map((one) => one.name)).size === streams.length, {
      message: "has two streams of one name",
    }),
});

/** Secrets of a JSON over REST endpoint: which one is needed depends on `auth.type`; a client certificate goes with any. */
export const httpSecrets = z
  .object({
    token: z.string().min(1).optional().describe("For auth bearer and header."),
    password: z.string().min(1).optional().describe("For auth basic."),
    tokenId: z.string().min(1).optional().describe("The token's id at the system, where a rotation ends it by that."),
    certificate: z
      .string()
      .includes("-----BEGIN CERTIFICATE-----")
      .optional()
      .describe("A client certificate (mTLS) and its chain, as PEM."),
    privateKey: z.string().includes("PRIVATE KEY-----").optional().describe("The client certificate's key, as PEM without a passphrase."),
  })
  .refine(({ certificate, privateKey }) => (certificate === undefined) === (privateKey === undefined), {
    message: "needs both certificate and privateKey, or neither",
    path: ["privateKey"],
  });

export type HttpConfig = z.output<typeof httpConfig>;
export type HttpSecrets = z.output<typeof httpSecrets>;
export type HttpCall = z.output<typeof call>;
export type HttpStream = HttpConfig["streams"][number];
export type HttpWrite = z.output<typeof write>;
export type HttpSince = z.output<typeof since>;
