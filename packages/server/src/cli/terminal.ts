import { createInterface } from "node:readline/promises";
import { isatty, type WriteStream } from "node:tty";
import type { Input, Output } from "./cli.js";
import type { CliEnvironment } from "./environment.js";
import { stylesOf } from "./output/styles.js";

/** A standard stream as an output. */
export function streamOutput(stream: NodeJS.WriteStream & { readonly fd: number }, environment: Pick<CliEnvironment, "colour">): Output {
  const isTerminal = isatty(stream.fd);
  const colours = environment.colour === "always" || (environment.colour === "on-terminal" && isTerminal);
  const size = (read: (terminal: WriteStream) => number): number | undefined => {
    // A terminal that does not know its size says 0.
    const cells = isTerminal ? read(stream) : 0;
    return cells > 0 ? cells : undefined;
  };
  return {
    isTerminal,
    styles: stylesOf(colours),
    columns: () => size((terminal) => terminal.columns),
    rows: () => size((terminal) => terminal.rows),
    write: (text) => {
      stream.write(text);
    },
  };
}

/** Standard input. Questions go to stderr: stdout may be a pipe. */
export function standardInput(): Input {
  return {
    isTerminal: isatty(0),
    readAll: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
      return Buffer.concat(chunks).toString("utf8");
    },
    ask: async (question) => {
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      // Ctrl-C and Ctrl-D close the reader, and the question would stay open for ever: that is no answer.
      const closed = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
      try {
        return await Promise.race([lines.question(question), closed]);
      } finally {
        lines.close();
      }
    },
  };
}
