import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { DrizzleQueryError } from "drizzle-orm";
import { createLog, loggedMessage, textOfLogLine } from "./log.js";

/** What a log of this format writes to a stream that is, or is not, a terminal. */
function written(logFormat: "auto" | "json" | "text", isTTY: boolean): string {
  const stream = Object.assign(new PassThrough(), { isTTY });
  createLog({ logLevel: "info", logFormat }, stream as unknown as NodeJS.WriteStream).warn({ runs: 3 }, "The lease could not be renewed.");
  return String(stream.read());
}

/** An error that takes over the words of another one and keeps it beside `cause`, as graphql's does. */
class Wrapping extends Error {
  readonly originalError: Error;

  constructor(original: Error) {
    super(original.message);
    this.originalError = original;
    this.stack = original.stack ?? "";
  }
}

describe("the server's log", () => {
  it("is text on a terminal and JSON in a pipe, unless told otherwise", () => {
    expect(written("auto", true)).toMatch(/^\d{2}:\d{2}:\d{2} {2}warning {2}The lease could not be renewed\. \(runs 3\)\n$/);
    expect(JSON.parse(written("auto", false))).toMatchObject({ level: 40, runs: 3, msg: "The lease could not be renewed." });
    expect(JSON.parse(written("json", true))).toMatchObject({ runs: 3 });
    expect(written("text", false)).toContain("warning");
  });

  it("shows an error's message and leaves its stack to the JSON format", () => {
    const line = JSON.stringify({
      level: 50,
      time: 0,
      err: { type: "Error", message: "connection refused", stack: "Error\n  at somewhere" },
      msg: "A pass failed:",
    });
    expect(textOfLogLine(line)).toMatch(/error {4}A pass failed: connection refused$/);
  });

  it("keeps the statement of a failed query, and nothing that was bound to it", () => {
    const refused = Object.assign(new Error("null value in column"), {
      code: "23502",
      detail: "Failing row contains (7, s3cret-of-a-customer).",
    });
    const failed = new DrizzleQueryError(
      "insert into inbox_record values ($1, $2)",
      ["line one\nline two", "s3cret-of-a-customer"],
      refused,
    );
    const wrapped = [failed, refused, new Wrapping(failed), new Error("A pass failed.", { cause: failed })];
    for (const format of ["json", "text"] as const)
      for (const err of wrapped) {
        const stream = Object.assign(new PassThrough(), { isTTY: false });
        createLog({ logLevel: "info", logFormat: format }, stream as unknown as NodeJS.WriteStream).error({ err }, "It failed.");
        const line = String(stream.read());
        expect(line).toContain(err === refused ? "null value in column" : "insert into inbox_record");
        expect(line).not.toMatch(/s3cret|line one/);
      }
    expect(loggedMessage(failed)).toBe("Failed query: insert into inbox_record values ($1, $2)\nparams: [hidden]");
  });
});
