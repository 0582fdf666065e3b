import type { Readable } from "node:stream";
import { clock } from "../../clock.js";
import { type Redact, redactor } from "../../credentials/redactor.js";

const LINE_MAX_LENGTH = 2_000;
/** A longer line is told by its beginning. Twice what a secret may have, so that none in what is told lacks its end. */
const KEPT_OF_LINE = 131_072;
/** A secret of several lines, such as a private key, is printed as several: shorter ones of them say too little. */
const SECRET_LINE_MIN_LENGTH = 8;
/** Lines within {@link SPAN_MS}; more are counted and left out. */
const LINES_MAX = 100;
const SPAN_MS = 10_000;
/** Secrets of the latest calls are hidden, so many values of them. */
const SECRETS_MAX = 1_000;

/** What a worker prints, as lines of the log: without secrets, cut, and not more than a log can bear. */
export interface CapturedOutput {
  /** From now on these values are hidden. */
  hide(values: Iterable<string>): void;
  mask(text: string): string;
}

export function captureOutput(streams: readonly Readable[], write: (line: string) => void): CapturedOutput {
  const secrets = new Set<string>();
  let redact: Redact = (text) => text;
  let spanEndsAtMs = 0;
  let count = 0;
  let left = 0;
  const say = (line: string): void => {
    const now = clock.monotonicMs();
    if (now >= spanEndsAtMs) {
      if (left > 0) write(`… ${left} lines were left out.`);
      spanEndsAtMs = now + SPAN_MS;
      count = 0;
      left = 0;
    }
    count += 1;
    if (count > LINES_MAX) left += 1;
    // Hidden before it is cut: half a secret would not be found.
    else write(redact(line).slice(0, LINE_MAX_LENGTH));
  };
  for (const stream of streams) {
    let rest = "";
    let isTold = false;
    stream.setEncoding("utf8");
    stream.on("data", (piece: string) => {
      const lines = `${rest}${piece}`.split("\n");
      if (isTold && lines.length > 1) {
        lines.shift();
        isTold = false;
      }
      rest = isTold ? "" : (lines.pop() ?? "");
      if (isTold) return;
      for (const line of lines) if (line.trim() !== "") say(line);
      if (rest.length > KEPT_OF_LINE) {
        say(rest);
        rest = "";
        isTold = true;
      }
    });
    stream.on("end", () => {
      if (rest.trim() !== "") say(rest);
      rest = "";
    });
  }
  return {
    hide(values) {
      const before = secrets.size;
      for (const value of values) secrets.add(value);
      if (secrets.size === before) return;
      for (const oldest of secrets) {
        if (secrets.size <= SECRETS_MAX) break;
        secrets.delete(oldest);
      }
      redact = redactor([...secrets].flatMap(linesOf));
    },
    mask: (text) => redact(text),
  };
}

function linesOf(secret: string): readonly string[] {
  const lines = secret.split(/\r?\n/);
  return lines.length === 1 ? lines : [secret, ...lines.filter((line) => line.length >= SECRET_LINE_MIN_LENGTH)];
}
