import type { SignedHead } from "@quiesce/core";
import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import {
  type AuditProblemAnswer,
  type AuditVerificationAnswer,
  readAuditHashes,
  readAuditHead,
  verifyAudit,
} from "../operations/audit-operations.js";
import { plainText } from "../output/plain-text.js";

const PAGE_SIZE = 2_000;
const MOST_PROBLEMS = 20;
const HASHES_AT_ONCE = 200;

interface VerifyOptions {
  readonly file?: string;
  readonly head?: string;
  readonly publicKey?: string;
  readonly json?: boolean;
}

interface Verdict {
  readonly checked: number;
  readonly place: { readonly position: number; readonly hash: string };
  readonly problems: readonly { readonly position: number | null; readonly kind: string; readonly message: string }[];
  readonly notes: readonly string[];
}

/** `quiesce audit verify`: makes every hash anew, here or on the server, and names the first bad entry. */
export function auditVerifyCommand(cli: Cli): Command {
  return new Command("verify")
    .description("check that no entry of the audit trail was changed, deleted, inserted or moved; exit code 1 when one was")
    .option("-f, --file <file>", "check an export (JSONL) on this machine, without a server")
    .option("--head <file>", "also check that these recorded heads, one a line, fit the chain: only they show that its end was deleted")
    .option("--public-key <base64>", "the key that the heads must be signed by, as noted from `audit head`")
    .option("--json", "print what was found as JSON")
    .action(async (options: VerifyOptions) => {
      if (options.publicKey !== undefined && options.head === undefined)
        throw new CliError("usage", "--public-key is about the heads in --head; that is missing.");
      const verdict = options.file === undefined ? await verifyOnline(cli, options) : await verifyOffline(options.file, options);
      const isWhole = verdict.problems.length === 0;
      if (options.json === true) printJson(cli, { whole: isWhole, ...verdict });
      else report(cli, verdict);
      if (!isWhole) cli.exitCode = exitCodes.refused;
    });
}

function report(cli: Cli, { checked, place, problems, notes }: Verdict): void {
  for (const { message } of problems) print(cli, cli.out.styles.red(plainText(message)));
  if (problems.length === 0)
    print(cli, `The audit trail is whole: ${checked} entries, up to position ${place.position}, hash ${place.hash}.`);
  else
    print(
      cli,
      `The audit trail is broken. The first bad place is named first${problems.length < MOST_PROBLEMS ? "" : "; there may be more"}.`,
    );
  for (const one of notes) note(cli, plainText(one));
}

async function verifyOnline(cli: Cli, options: VerifyOptions): Promise<Verdict> {
  const api = await cli.api();
  const problems: AuditProblemAnswer[] = [];
  let place: Verdict["place"] | null = null;
  let [checked, unsealed] = [0, 0];
  for (let isEnd = false; !isEnd && problems.length < MOST_PROBLEMS;) {
    const page: AuditVerificationAnswer = (await api.request(verifyAudit, { after: place, first: PAGE_SIZE })).auditVerification;
    place = page.place;
    ({ isEnd, unsealed } = page);
    checked += page.checked;
    problems.push(...page.problems.slice(0, MOST_PROBLEMS - problems.length));
    if (cli.err.isTerminal) cli.err.write(`\r${checked} of ${page.sealed} entries checked${isEnd ? "\n" : ""}`);
  }
  const notes = unsealed === 0 ? [] : [`${unsealed} newer entries wait to be sealed, and are not checked.`];
  const last = place ?? { position: 0, hash: "" };
  if (options.head === undefined) return { checked, place: last, problems, notes };
  const { headProblems, readHeads } = await import("../audit/recorded-heads.js");
  const heads = await readHeads(options.head);
  const hashes = new Map<number, string>();
  for (let from = 0; from < heads.length; from += HASHES_AT_ONCE) {
    const positions = heads.slice(from, from + HASHES_AT_ONCE).map(({ position }) => position);
    for (const one of (await api.request(readAuditHashes, { positions })).auditHashes) hashes.set(one.position, one.hash);
  }
  const { auditHead } = await api.request(readAuditHead);
  const chain = {
    hashAt: (position: number) => hashes.get(position) ?? null,
    last: auditHead?.position ?? 0,
    epoch: auditHead?.epoch ?? "",
  };
  const bad = headProblems(heads, chain, options.publicKey).map(headVerdict);
  return { checked, place: last, problems: [...problems, ...bad], notes: [...notes, ...headNotes(heads, options)] };
}

async function verifyOffline(file: string, options: VerifyOptions): Promise<Verdict> {
  const [{ headProblems, readHeads }, { verifyExport }] = await Promise.all([
    import("../audit/recorded-heads.js"),
    import("../audit/verify-export.js"),
  ]);
  const heads = options.head === undefined ? [] : await readHeads(options.head);
  const check = await verifyExport(file, new Set(heads.map(({ position }) => position)));
  const { startsAfter, place, checked } = check;
  const covered = heads.filter(({ position }) => position >= startsAfter.position && position <= place.position);
  const hashAt = (position: number) => check.hashes.get(position) ?? null;
  const bad = covered.flatMap((head) => headProblems([head], { hashAt, last: place.position, epoch: head.epoch }, options.publicKey));
  const notes = [
    `The file begins behind position ${startsAfter.position}${startsAfter.position === 0 ? ", the beginning of the trail" : `, hash ${startsAfter.hash}`}.`,
    ...(check.ordersElsewhere === 0 ? [] : [`${check.ordersElsewhere} values were erased by orders that are not in this file.`]),
    ...(covered.length === heads.length
      ? []
      : [`${heads.length - covered.length} of ${heads.length} heads are for positions outside of this file.`]),
    ...headNotes(covered, options),
  ];
  const problems = [...check.problems, ...[...check.fileProblems, ...bad].map(headVerdict)];
  return { checked, place: { position: place.position, hash: place.hash }, problems, notes };
}

function headVerdict(message: string): Verdict["problems"][number] {
  return { kind: "HEAD", position: null, message };
}

function headNotes(heads: readonly SignedHead[], { publicKey }: VerifyOptions): readonly string[] {
  if (heads.length === 0) return [];
  const keys = [...new Set(heads.map(({ keyId }) => keyId))].join(", ");
  return publicKey === undefined
    ? [
        `${heads.length} heads were compared. Their signatures fit the keys that they carry themselves (${keys}); give --public-key to be sure whose these are.`,
      ]
    : [`${heads.length} heads were compared, signed by the given key.`];
}
