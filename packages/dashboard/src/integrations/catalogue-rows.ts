import type { LiveEvent } from "@quiesce/client";
import type { StatusTone } from "../components/status.js";
import type { CatalogueRowsQuery } from "./catalogue.generated.js";

type Node = CatalogueRowsQuery["integrations"]["nodes"][number];

/** An integration as one line of the catalogue. */
export interface CatalogueRow {
  readonly key: string;
  readonly name: string;
  readonly ownerTeam: string | null;
  readonly criticality: Node["criticality"];
  readonly tags: readonly string[];
  /** In the order in which data flow. */
  readonly systems: readonly { readonly role: Node["systems"][number]["role"]; readonly key: string; readonly name: string }[];
  readonly isHeld: boolean;
  readonly isFailing: boolean;
  readonly isRunning: boolean;
  /** How its newest run that was started ended, and when; null: none has. */
  readonly last: { readonly state: string; readonly at: string } | null;
}

/** In the order in which somebody looks. */
export const rowStates = ["failing", "held", "running", "fine", "idle"] as const;
export type RowState = (typeof rowStates)[number];

/** One state for each: what fails comes before what is held, for a hold ends by itself. */
export function stateOf({ isFailing, isHeld, isRunning, last }: CatalogueRow): RowState {
  if (isFailing) return "failing";
  if (isHeld) return "held";
  if (isRunning) return "running";
  return last === null ? "idle" : "fine";
}

export const toneOfRow: { readonly [state in RowState]: StatusTone } = {
  failing: "failing",
  held: "held",
  running: "running",
  fine: "quiet",
  idle: "quiet",
};

export interface Marks {
  readonly held: ReadonlySet<string>;
  readonly failing: ReadonlySet<string>;
}

export function rowOf(node: Node, { held, failing }: Marks): CatalogueRow {
  const { key, name, ownerTeam, criticality, tags, systems, lastRun } = node;
  return {
    key,
    name,
    ownerTeam,
    criticality,
    tags,
    systems: systems.map(({ role, system }) => ({ role, key: system.key, name: system.name })),
    isHeld: held.has(key),
    isFailing: failing.has(key),
    isRunning: lastRun?.state === "RUNNING",
    last: lastRun === null || lastRun.startedAt === null ? null : { state: lastRun.state, at: lastRun.finishedAt ?? lastRun.startedAt },
  };
}

const failedStates: readonly string[] = ["FAILED", "DEAD", "LOST"];

/** What an event of a run says of its integration's row; null: nothing. */
export function patchOf({ kind, at, payload }: Pick<LiveEvent, "kind" | "at" | "payload">): ((row: CatalogueRow) => CatalogueRow) | null {
  switch (kind) {
    case "run.started":
      return (row) => ({ ...row, isRunning: true, last: { state: "RUNNING", at } });
    case "run.requeued":
    case "run.aborted":
      return (row) => ({ ...row, isRunning: false });
    case "run.finished": {
      const state = finishedState(payload);
      if (state === null) return null;
      // A success mends the integration only when no other of its jobs fails: the server is asked about that.
      return (row) => ({ ...row, isRunning: false, isFailing: row.isFailing || failedStates.includes(state), last: { state, at } });
    }
    default:
      return null;
  }
}

function finishedState(payload: unknown): string | null {
  if (typeof payload !== "object" || payload === null || !("state" in payload) || typeof payload.state !== "string") return null;
  return payload.state.toUpperCase();
}

/** What the address says is wanted. */
export interface CatalogueFilter {
  readonly q: string;
  readonly system: string;
  readonly team: string;
  readonly tag: string;
  readonly state: RowState | "";
}

/** Every field that is given fits; the search looks at names, keys, systems and tags, whatever their case. */
export function fits(row: CatalogueRow, { q, system, team, tag, state }: CatalogueFilter): boolean {
  if (state !== "" && stateOf(row) !== state) return false;
  if (system !== "" && !row.systems.some(({ key }) => key === system)) return false;
  if (team !== "" && row.ownerTeam !== team) return false;
  if (tag !== "" && !row.tags.includes(tag)) return false;
  if (q === "") return true;
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const text = [row.name, row.key, ...row.tags, ...row.systems.flatMap(({ key, name }) => [key, name])].join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

/** What fails first, then what is held; among equals by name. */
export function compareRows(a: CatalogueRow, b: CatalogueRow): number {
  const rank = (row: CatalogueRow) => Math.min(rowStates.indexOf(stateOf(row)), 2);
  return rank(a) - rank(b) || a.name.localeCompare(b.name) || (a.key < b.key ? -1 : 1);
}

export interface CatalogueNumbers {
  readonly all: number;
  readonly held: number;
  readonly failing: number;
}

export function numbersOfRows(rows: Iterable<CatalogueRow>): CatalogueNumbers {
  let [all, held, failing] = [0, 0, 0];
  for (const row of rows) {
    all += 1;
    held += Number(row.isHeld);
    failing += Number(row.isFailing);
  }
  return { all, held, failing };
}
