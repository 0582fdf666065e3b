import {
  type ChainPlace,
  type ChainProblem,
  erasedValue,
  erasureAction,
  maxChainProblems,
  orderedBy,
  type SealedEntry,
  type SignedHead,
  verifyChain,
} from "@quiesce/core";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { z } from "zod";
import { isSignedAsSaid } from "../../audit/signing-key.js";
import { sha256 } from "../../audit/sha256.js";
import { CliError } from "../cli-error.js";
import { signedHeadSchema } from "./recorded-heads.js";

/** Entries are checked so many at a time; the file may be larger than the memory. */
const pageSize = 1_000;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const instant = z.iso.datetime().transform((text) => Date.parse(text));
const startSchema = z.looseObject({ quiesceAudit: z.literal(1), startsAfter: z.object({ position: z.int().min(0), hash }) });
const entrySchema = z.object({
  id: z.int(),
  at: instant,
  actor: z.string(),
  action: z.string(),
  subjectKind: z.string(),
  subjectKey: z.string(),
  reason: z.string().nullable(),
  before: z.unknown(),
  after: z.unknown(),
  position: z.int().min(1),
  hash,
  sealedAt: instant,
  late: z.boolean(),
  personal: z.array(z.object({ field: z.string(), commitment: hash, salt: z.string().nullable(), erasedBy: z.int().nullable() })),
});
const endSchema = z.looseObject({ end: z.object({ position: z.int().min(0), hash }), head: signedHeadSchema.nullable() });

/** What a file says of itself when it was checked. */
export interface ExportCheck {
  readonly startsAfter: ChainPlace;
  readonly place: ChainPlace;
  readonly checked: number;
  readonly problems: readonly ChainProblem[];
  /** Problems of the file as a whole. */
  readonly fileProblems: readonly string[];
  /** Erased values whose order lies outside of the file. */
  readonly ordersElsewhere: number;
  readonly head: SignedHead | null;
  /** The hashes at the positions that were asked for. */
  readonly hashes: ReadonlyMap<number, string>;
}

/** Checks an export without a server. `positions`: where recorded heads want to know the hash. */
export async function verifyExport(file: string, positions: ReadonlySet<number>): Promise<ExportCheck> {
  const known = await ordersIn(file);
  const hashes = new Map<number, string>();
  const problems: ChainProblem[] = [];
  const fileProblems: string[] = [];
  let start: ChainPlace | null = null;
  let end: z.output<typeof endSchema> | null = null;
  let place: ChainPlace = { position: 0, hash: "" };
  let checked = 0;
  let ordersElsewhere = 0;
  let page: SealedEntry[] = [];
  const checkPage = (): void => {
    // An order that is not in the file cannot be looked at: its values pass, and are counted.
    const orders = new Map(known);
    for (const { personal, id } of page)
      for (const { field, erasedBy } of personal) {
        if (erasedBy === null || known.has(erasedBy)) continue;
        ordersElsewhere += 1;
        orders.set(erasedBy, new Set([...(orders.get(erasedBy) ?? []), erasedValue(id, field)]));
      }
    const check = verifyChain(place, page, { sha256, orders });
    problems.push(...check.problems.slice(0, maxChainProblems - problems.length));
    place = page.at(-1) ?? place;
    checked += page.length;
    page = [];
  };
  for await (const [number, value] of linesOf(file)) {
    if (start === null) {
      place = start = parsed(startSchema, value, { file, number, what: "the beginning of an export" }).startsAfter;
      hashes.set(place.position, place.hash);
    } else if (typeof value === "object" && value !== null && "end" in value) {
      end = parsed(endSchema, value, { file, number, what: "the end of an export" });
    } else {
      const entry = parsed(entrySchema, value, { file, number, what: "an entry" });
      page.push(entry);
      if (positions.has(entry.position)) hashes.set(entry.position, entry.hash);
      if (page.length === pageSize) checkPage();
    }
  }
  checkPage();
  if (start === null) throw new CliError("usage", `${file} is empty. Expected what quiesce audit export --format jsonl writes.`);
  if (end === null) fileProblems.push("The file has no end: its last lines were cut off.");
  else {
    if (end.end.position !== place.position || end.end.hash !== place.hash)
      fileProblems.push(
        `The file ends at position ${place.position}; its last line says ${end.end.position}. Entries at its end are missing or changed.`,
      );
    if (end.head !== null && !isSignedAsSaid(end.head)) fileProblems.push("The signature of the head in its last line does not fit.");
    if (end.head !== null && end.head.position === place.position && end.head.hash !== place.hash)
      fileProblems.push("The head in its last line is signed for another hash than the last entry has.");
  }
  return { startsAfter: start, place, checked, problems, fileProblems, ordersElsewhere, head: end?.head ?? null, hashes };
}

/** The erasures that entries of the file order. */
async function ordersIn(file: string): Promise<ReadonlyMap<number, ReadonlySet<string>>> {
  const orders = new Map<number, ReadonlySet<string>>();
  const orderSchema = z.looseObject({ id: z.int(), action: z.literal(erasureAction), after: z.unknown() });
  for await (const [, value] of linesOf(file)) {
    const order = orderSchema.safeParse(value);
    if (order.success) orders.set(order.data.id, orderedBy({ action: erasureAction, after: order.data.after }));
  }
  return orders;
}

async function* linesOf(file: string): AsyncGenerator<readonly [number, unknown]> {
  const stream = createReadStream(file, "utf8");
  let number = 0;
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line.trim() === "") continue;
      yield [number, JSON.parse(line) as unknown];
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(
      "usage",
      `${file} cannot be read (line ${number}): ${why}. Expected what quiesce audit export --format jsonl writes.`,
      {
        cause: error,
      },
    );
  } finally {
    stream.destroy();
  }
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, at: { readonly file: string; readonly number: number; readonly what: string }): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new CliError(
    "usage",
    `Line ${at.number} of ${at.file} is not ${at.what} (${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}). Expected what quiesce audit export --format jsonl writes.`,
  );
}
