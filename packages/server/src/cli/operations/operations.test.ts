import { readFileSync } from "node:fs";
import { buildSchema, parse, validate } from "graphql";
import { describe, expect, it } from "vitest";
import type { Operation } from "../graphql-client.js";
import * as auditOperations from "./audit-operations.js";
import * as drainOperations from "./drain-operations.js";
import * as planningOperations from "./planning-operations.js";
import * as previewOperations from "./preview-operations.js";
import * as resumeOperations from "./resume-operations.js";
import * as slotOperations from "./slot-operations.js";
import * as tuningOperations from "./tuning-operations.js";
import * as zoneOperations from "./zone-operations.js";
import * as calendarOperations from "./calendar-operations.js";
import * as credentialOperations from "./credential-operations.js";
import * as holdOperations from "./hold-operations.js";
import * as runOperations from "./run-operations.js";
import * as serverOperations from "./server-operations.js";
import * as statusOperations from "./status-operations.js";
import * as teamOperations from "./team-operations.js";
import * as waitOperations from "./wait-operations.js";
import * as windowOperations from "./window-operations.js";

const schema = buildSchema(readFileSync(new URL("../../../schema.graphql", import.meta.url), "utf8"));

const isOperation = (value: unknown): value is Operation<unknown> =>
  typeof value === "object" && value !== null && "document" in value && "data" in value;

const operations = [
  auditOperations,
  drainOperations,
  planningOperations,
  previewOperations,
  resumeOperations,
  slotOperations,
  tuningOperations,
  zoneOperations,
  calendarOperations,
  credentialOperations,
  holdOperations,
  runOperations,
  serverOperations,
  statusOperations,
  teamOperations,
  waitOperations,
  windowOperations,
].flatMap((module) =>
  Object.entries(module as { readonly [name: string]: unknown }).flatMap(([name, value]) =>
    isOperation(value) ? [[name, value.document] as const] : [],
  ),
);

describe("what the command line asks", () => {
  it("is found by this test", () => {
    expect(operations.length).toBeGreaterThan(20);
  });

  it.each(operations)("fits the schema: %s", (_name, document) => {
    expect(validate(schema, parse(document)).map((error) => error.message)).toEqual([]);
  });
});
