import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createLog, textOfLogLine } from "./log.js";

/** What a log of this format writes to a stream that is, or is not, a terminal. */
function written(logFormat: "auto" | "json" | "text", isTTY: boolean): string {
  const stream = Object.assign(new PassThrough(), { isTTY });
  createLog({ logLevel: "info", logFormat }, stream as unknown as NodeJS.WriteStream).warn({ runs: 3 }, "The lease could not be renewed.");
  return String(stream.read());
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
});
