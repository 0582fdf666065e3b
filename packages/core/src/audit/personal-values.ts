import type { AuditDeed } from "./audit-entry.js";

/** Members of `before` and `after` that hold the name of a person, or words that a person wrote. */
const personalMembers: ReadonlySet<string> = new Set([
  "actor",
  "by",
  "requestedBy",
  "createdBy",
  "releasedBy",
  "approvedBy",
  "rejectedBy",
  "caller",
  "comment",
  "reason",
  "releaseReason",
]);

/** And those that do so in entries about one kind of thing. */
const personalMembersOf: { readonly [subjectKind: string]: readonly string[] } = {
  token: ["name"],
  hold: ["owner"],
  incident: ["assignee"],
  principal: ["name"],
  session: ["name"],
  // Where a refused sign-in came from.
  control: ["address"],
};

/** Those of them that are free words: they go with their author, not with who is named. */
const wordMembers: ReadonlySet<string> = new Set(["comment", "reason", "releaseReason"]);

/** A value of an entry with its place. */
export interface FieldValue {
  readonly field: string;
  readonly value: string;
}

/** The values of an entry that are personal, or may be: its actor, its reason, and such members of before and after. */
export function personalValuesOf(deed: Pick<AuditDeed, "actor" | "subjectKind" | "reason" | "before" | "after">): readonly FieldValue[] {
  const reason = deed.reason === null ? [] : [{ field: "/reason", value: deed.reason }];
  const also = Object.hasOwn(personalMembersOf, deed.subjectKind) ? (personalMembersOf[deed.subjectKind] ?? []) : [];
  const isPersonal = (name: string): boolean => personalMembers.has(name) || also.includes(name);
  return [
    { field: "/actor", value: deed.actor },
    ...reason,
    ...within(deed.before, "/before", isPersonal),
    ...within(deed.after, "/after", isPersonal),
  ];
}

/** Whether a field holds words rather than a name. */
export function holdsWords(field: string): boolean {
  return wordMembers.has(field.replace(/(?:\/\d+)+$/, "").replace(/^.*\//, ""));
}

function within(value: unknown, place: string, isPersonal: (name: string) => boolean, isList = false): readonly FieldValue[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]: readonly [string, unknown]) => {
    const field = `${place}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    // A list of names under a personal member, such as those whose word a policy wants.
    const isNamed = Array.isArray(value) ? isList : isPersonal(name);
    if (typeof member === "string") return isNamed ? [{ field, value: member }] : [];
    return within(member, field, isPersonal, isNamed && Array.isArray(member));
  });
}

/** The value at a field; undefined where there is none. */
export function valueAt(deed: AuditDeed, field: string): unknown {
  return stepsOf(field).reduce<unknown>((value, step) => memberOf(value, step), deed);
}

/** The entry with other values at these fields; a field that is not there changes nothing. */
export function withValues<T extends AuditDeed>(deed: T, values: ReadonlyMap<string, unknown>): T {
  return [...values].reduce<T>((changed, [field, value]) => replaced(changed, stepsOf(field), value) as T, deed);
}

function replaced(value: unknown, steps: readonly string[], by: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return by;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return value;
  const member = replaced(memberOf(value, step), rest, by);
  if (Array.isArray(value)) return value.map((item: unknown, index) => (String(index) === step ? member : item));
  return Object.fromEntries(Object.entries(value).map(([name, old]) => [name, name === step ? member : old]));
}

function memberOf(value: unknown, step: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, step)
    ? (value as { readonly [name: string]: unknown })[step]
    : undefined;
}

function stepsOf(field: string): readonly string[] {
  return field
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}
