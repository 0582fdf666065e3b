import {
  minimalWorkspace,
  parseWorkspace,
  workspaceProblems,
  type WorkspaceDocument,
  type WorkspaceProblem,
  type ZoneData,
} from "@quiesce/core";
import { type Document, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument, stringify, visit } from "yaml";

/** A workspace's text is at most so long. */
export const WORKSPACE_TEXT_MAX_BYTES = 5 * 1024 * 1024;

/** `*alias` may stand so many times; nested ones count multiplied, so that a few lines cannot unfold into gigabytes. */
const MAX_ALIASES = 100;

/** What is wrong, and where in the text; line and column count from 1. */
export interface TextProblem {
  readonly line: number;
  readonly column: number;
  /** `integrations[2].source`; empty where the text as a whole is at fault. */
  readonly path: string;
  readonly message: string;
}

export type WorkspaceText =
  | { readonly ok: true; readonly document: WorkspaceDocument }
  | { readonly ok: false; readonly problems: readonly TextProblem[] };

export interface ReadWorkspaceOptions {
  /** Only named in messages. */
  readonly fileName: string;
  /** Whether names must be found in this text itself (the default). `apply` without `--prune` leaves that to the server, which knows what stands. */
  readonly references?: boolean;
  readonly zones?: ZoneData;
}

/**
 * Reads a workspace from YAML 1.2 or JSON text; needs no database. Every problem has its line, and none repeats text of the file that could be a
 * secret. `${...}` has no meaning: what a file says is what is stored.
 */
export function readWorkspaceText(text: string, options: ReadWorkspaceOptions): WorkspaceText {
  if (Buffer.byteLength(text) > WORKSPACE_TEXT_MAX_BYTES) {
    return refused({
      line: 1,
      column: 1,
      path: "",
      message: `${options.fileName} is larger than ${WORKSPACE_TEXT_MAX_BYTES / 1024 / 1024} MiB. Split it into several files and apply them one after the other.`,
    });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: "1.2", merge: false, logLevel: "error" });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const syntax = [...document.errors, ...document.warnings].map((error) => ({
    ...at(error.pos[0]),
    path: "",
    message: `${syntaxMessage(error.code)} (${error.code})`,
  }));
  syntax.push(
    ...unresolvedAliases(document).map((offset) => ({ ...at(offset), path: "", message: `${syntaxMessage("BAD_ALIAS")} (BAD_ALIAS)` })),
  );
  if (syntax.length > 0) return { ok: false, problems: syntax };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    // A ReferenceError is how the parser says it; anything else is a bug.
    if (!(error instanceof ReferenceError)) throw error;
    return refused({
      line: 1,
      column: 1,
      path: "",
      message: `The aliases of ${options.fileName} would unfold too far, more than ${MAX_ALIASES} times. Write the values out.`,
    });
  }
  const locate = (problem: WorkspaceProblem): TextProblem => ({
    ...at(offsetOf(document, problem.segments)),
    path: problem.path,
    message: problem.message,
  });
  if (value === null || value === undefined)
    return refused({ line: 1, column: 1, path: "", message: `${options.fileName} is empty. Expected at least: quiesce: 1` });
  const parsed = parseWorkspace(value);
  if (!parsed.ok) return { ok: false, problems: parsed.problems.map(locate) };
  const problems = options.references === false ? [] : workspaceProblems(parsed.document, { zones: options.zones });
  return problems.length > 0 ? { ok: false, problems: problems.map(locate) } : { ok: true, document: parsed.document };
}

/** The one text of a workspace: by key, in the order of the format, without defaults. Writing what was read from it gives the same bytes. */
export function writeWorkspaceText(document: WorkspaceDocument): string {
  return stringify(minimalWorkspace(document), { lineWidth: 0, aliasDuplicateObjects: false, indent: 2, version: "1.2" });
}

/**
 * Finds paths such as `jobs[2].schedule.cron` in a text, for problems that were found elsewhere: by the server, or while secrets were read. A path
 * that is not written down is answered by the deepest part that is.
 */
export function workspaceLocator(text: string): (path: string) => { readonly line: number; readonly column: number } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: "1.2", merge: false, logLevel: "error" });
  return (path) => {
    const { line, col } = lines.linePos(offsetOf(document, segmentsOf(path)));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
}

function segmentsOf(path: string): readonly (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g)].map(([, index, quoted, name]) => {
    if (index !== undefined) return Number(index);
    return quoted === undefined ? (name ?? "") : String(JSON.parse(`"${quoted}"`));
  });
}

function refused(problem: TextProblem): WorkspaceText {
  return { ok: false, problems: [problem] };
}

/** Where aliases stand that no anchor above them explains; the parser notices only when it is too late for a line. */
function unresolvedAliases(document: Document.Parsed): readonly number[] {
  const anchors = new Set<string>();
  const offsets: number[] = [];
  visit(document, {
    Node: (_key, node) => {
      if (node.anchor !== undefined) anchors.add(node.anchor);
    },
    Alias: (_key, alias) => {
      if (!anchors.has(alias.source)) offsets.push(startOf(alias) ?? 0);
    },
  });
  return offsets;
}

/** The offset of the deepest part of a path that is written down; of a member, that of its name. */
function offsetOf(document: Document.Parsed, segments: readonly (string | number)[]): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const segment of segments) {
    let next: unknown;
    if (isMap(node)) {
      const pair: unknown = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(segment));
      if (!isPair(pair)) return offset;
      offset = startOf(pair.key) ?? offset;
      next = pair.value;
    } else {
      next = isSeq(node) ? node.items[Number(segment)] : undefined;
      offset = startOf(next) ?? offset;
    }
    if (next === undefined || next === null) return offset;
    node = next;
  }
  // Of `key: value` the value is what a message speaks of, unless it is a block below its name.
  return isScalar(node) ? (startOf(node) ?? offset) : offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** The parser's own messages quote the text, in which a secret may stand; these do not. */
function syntaxMessage(code: string): string {
  const messages: { readonly [code: string]: string } = {
    BAD_INDENT: "The indentation does not fit what stands above. Align it with its neighbours",
    TAB_AS_INDENT: "Tabs cannot indent YAML. Use spaces",
    DUPLICATE_KEY: "The same key stands twice in one object. Remove one",
    MULTIPLE_DOCS: "The file holds several documents (---). Put each into a file of its own",
    BAD_ALIAS: "The alias (*name) does not belong to any anchor (&name) above. Write the value out",
    MISSING_CHAR: "A character is missing here, perhaps a quote, a comma or a bracket",
    UNEXPECTED_TOKEN: "This does not belong here. Check quotes, colons and indentation",
    BLOCK_AS_IMPLICIT_KEY: "A value that spans lines cannot stand here. Check colons and indentation",
    TAG_RESOLVE_FAILED: "Tags (!name) are not known here. Remove the tag",
  };
  return messages[code] ?? "This is not valid YAML. Check quotes, colons and indentation";
}
