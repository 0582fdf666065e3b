import { headProblem, type SignedHead } from "@quiesce/core";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { isSignedAsSaid } from "../../audit/signing-key.js";
import { CliError } from "../cli-error.js";

const mostHeads = 100_000;

export const signedHeadSchema = z.strictObject({
  position: z.int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  sealedAt: z.iso.datetime(),
  epoch: z.string(),
  keyId: z.string(),
  publicKey: z.string(),
  signature: z.string(),
});

/** Reads a file of signed heads, one a line, as a server appends them and `quiesce audit head` prints one. */
export async function readHeads(file: string): Promise<readonly SignedHead[]> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new CliError("usage", `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`, { cause: error });
  });
  const lines = text.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [{ line, number: index + 1 }]));
  if (lines.length === 0 || lines.length > mostHeads)
    throw new CliError(
      "usage",
      `${file} has ${lines.length} heads, expected 1 to ${mostHeads}: one a line, as quiesce audit head prints it.`,
    );
  return lines.map(({ line, number }) => {
    const head = signedHeadSchema.safeParse(jsonOf(line));
    if (!head.success) throw new CliError("usage", `Line ${number} of ${file} is no signed head, as quiesce audit head prints it.`);
    return head.data;
  });
}

/** What the chain is, as far as heads can be compared with it. */
export interface KnownChain {
  /** The hash at a position; null where there is none. */
  readonly hashAt: (position: number) => string | null;
  readonly last: number;
  readonly epoch: string;
}

/** What is wrong with recorded heads: a signature, another key than the one that was noted, or a chain that they do not fit. */
export function headProblems(heads: readonly SignedHead[], chain: KnownChain, publicKey: string | undefined): readonly string[] {
  return heads.flatMap((head) => {
    const named = `The head of position ${head.position}, recorded ${head.sealedAt},`;
    if (!isSignedAsSaid(head)) return [`${named} has a signature that does not fit: the head was changed.`];
    if (publicKey !== undefined && head.publicKey !== publicKey)
      return [`${named} is signed by another key (${head.keyId}) than the one given.`];
    const problem = headProblem(head, { hash: chain.hashAt(head.position), last: chain.last, epoch: chain.epoch });
    return problem === null ? [] : [problem];
  });
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
