import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { REDACTED } from "../../credentials/redactor.js";
import { captureOutput } from "./captured-output.js";

const key = [
  "-----BEGIN PRIVATE KEY-----",
  "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
  "BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
  "-----END PRIVATE KEY-----",
];

async function printed(pieces: readonly string[], secrets: readonly string[]): Promise<readonly string[]> {
  const lines: string[] = [];
  const stream = new PassThrough();
  captureOutput([stream], (line) => void lines.push(line)).hide(secrets);
  for (const piece of pieces) {
    stream.write(piece);
    await setImmediate();
  }
  stream.end();
  await new Promise((resolve) => stream.once("close", resolve));
  return lines;
}

describe("what a worker prints", () => {
  it("is told by lines, without secrets, however it came in pieces", async () => {
    expect(await printed(["one tok", "en-0123456789\ntwo", "\n\nthree"], ["token-0123456789"])).toEqual([
      `one ${REDACTED}`,
      "two",
      "three",
    ]);
  });

  it("shows no line of a secret that has several", async () => {
    const lines = await printed([`the key is\n${key.join("\n")}\nas it was given\n`], [`${key.join("\r\n")}\r\n`]);
    expect(lines).toEqual(["the key is", REDACTED, REDACTED, REDACTED, REDACTED, "as it was given"]);
  });

  it("shows no half of a secret that stands where a long line is cut", async () => {
    const secret = "s3cret-".repeat(20);
    const lines = await printed([`${"x".repeat(1_990)}${secret.slice(0, 30)}`, `${secret.slice(30)}y\nnext\n`], [secret]);
    expect(lines.join("\n")).not.toContain("s3cret");
    expect(lines.at(-1)).toBe("next");
  });

  it("keeps no more of a line than a part of it, and goes on with the next one", async () => {
    const lines = await printed([...Array.from({ length: 40 }, () => "x".repeat(20_000)), "tail\nnext\n"], ["token-0123456789"]);
    expect(lines.map((line) => line.length)).toEqual([2_000, 4]);
  });
});
