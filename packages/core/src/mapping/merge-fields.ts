import type { Json } from "@quiesce/sdk";
import type { ConflictRule, TwoWay } from "./two-way-schema.js";

/** Values of two-way fields by name, in the target's form; null where a side has none. */
export type FieldValues = { readonly [field: string]: Json };

/** Whether two systems' values are one, however each writes it. */
export type SameValue = (a: Json, b: Json) => boolean;

/** What is known of one record's two-way fields. */
export interface MergeFacts {
  /** What both sides last agreed on; a field that is not in it never was compared. */
  readonly agreed: FieldValues;
  /** What each side holds. A field that is not in both is not known well enough, and is left alone. */
  readonly source: FieldValues;
  readonly target: FieldValues;
  /** When each side was last changed, in epoch milliseconds. */
  readonly sourceAt: number | null;
  readonly targetAt: number | null;
  /** What was sent to a side and never confirmed: if the side holds it, it is our own write and no change of anybody's. */
  readonly sentToSource: FieldValues;
  readonly sentToTarget: FieldValues;
}

/** Both sides changed a field, and differ. `winner` is null when a person decides. */
export interface FieldConflict {
  readonly field: string;
  readonly agreed: Json;
  readonly source: Json;
  readonly target: Json;
  readonly rule: ConflictRule;
  readonly winner: "source" | "target" | null;
}

/** What becomes of a record's two-way fields. */
export interface MergeVerdict {
  /** What both sides agree on when everything below is written: fields in doubt keep what was agreed. */
  readonly agreed: FieldValues;
  readonly toSource: FieldValues;
  readonly toTarget: FieldValues;
  readonly conflicts: readonly FieldConflict[];
}

/**
 * Merges one record field by field against what both sides last agreed on. A field that one side changed flows to the other; one that both changed
 * to different values goes by its rule. The same facts give the same verdict, and a verdict that was carried out gives an empty one.
 */
export function mergeFields(twoWay: TwoWay, facts: MergeFacts, isSame: SameValue): MergeVerdict {
  const agreed: { [field: string]: Json } = { ...facts.agreed };
  const toSource: { [field: string]: Json } = {};
  const toTarget: { [field: string]: Json } = {};
  const conflicts: FieldConflict[] = [];
  for (const [field, { conflict: rule }] of Object.entries(twoWay.fields)) {
    const source = facts.source[field];
    const target = facts.target[field];
    if (source === undefined || target === undefined) continue;
    if (isSame(source, target)) {
      agreed[field] = source;
      continue;
    }
    const base = baseOf(field, facts, isSame);
    const changed = { source: base === undefined || !isSame(source, base), target: base === undefined || !isSame(target, base) };
    let winner: FieldConflict["winner"];
    if (changed.source && changed.target) {
      winner = winnerOf(rule, facts);
      conflicts.push({ field, agreed: base ?? null, source, target, rule, winner });
    } else winner = changed.source ? "source" : "target";
    if (winner === "source") toTarget[field] = agreed[field] = source;
    else if (winner === "target") toSource[field] = agreed[field] = target;
    else if (base !== undefined) agreed[field] = base;
  }
  return { agreed, toSource, toTarget, conflicts };
}

/** Our own write that came back unconfirmed has become what is agreed. */
function baseOf(field: string, facts: MergeFacts, isSame: SameValue): Json | undefined {
  const isHeld = (held: Json | undefined, sent: Json): boolean => held !== undefined && isSame(held, sent);
  const sentToTarget = facts.sentToTarget[field];
  if (sentToTarget !== undefined && isHeld(facts.target[field], sentToTarget)) return sentToTarget;
  const sentToSource = facts.sentToSource[field];
  if (sentToSource !== undefined && isHeld(facts.source[field], sentToSource)) return sentToSource;
  return facts.agreed[field];
}

/** Without both times nobody knows which change is newer; of two at one instant the source's wins, so that both sides decide alike. */
function winnerOf(rule: ConflictRule, { sourceAt, targetAt }: MergeFacts): "source" | "target" | null {
  switch (rule) {
    case "source":
    case "target":
      return rule;
    case "review":
      return null;
    case "newest":
      if (sourceAt === null || targetAt === null) return null;
      return targetAt > sourceAt ? "target" : "source";
  }
}

/** Whether the target was changed since both agreed, other than by what was sent to it. */
export function hasUnagreedChange(facts: Pick<MergeFacts, "agreed" | "sentToTarget" | "target">, isSame: SameValue): boolean {
  return Object.entries(facts.target).some(([field, value]) => {
    const agreed = facts.agreed[field];
    const sent = facts.sentToTarget[field];
    return !(agreed !== undefined && isSame(value, agreed)) && !(sent !== undefined && isSame(value, sent));
  });
}
