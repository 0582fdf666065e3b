import type { Output } from "../cli.js";
import type { WorkspaceChangeAnswer } from "../operations/server-operations.js";
import { plainText, truncate } from "./plain-text.js";
import type { StyleName } from "./styles.js";

const LOOKS = {
  CREATE: { sign: "+", style: "green" },
  UPDATE: { sign: "~", style: "yellow" },
  DELETE: { sign: "-", style: "red" },
} as const satisfies {
  readonly [kind in WorkspaceChangeAnswer["kind"]]: { readonly sign: string; readonly style: StyleName };
};
const WORDS = {
  ahead: { CREATE: "to create", UPDATE: "to change", DELETE: "to delete" },
  done: { CREATE: "created", UPDATE: "changed", DELETE: "deleted" },
} as const satisfies { readonly [time: string]: { readonly [kind in WorkspaceChangeAnswer["kind"]]: string } };
const LONGEST_VALUE = 160;

/** The difference that an apply makes: a line a thing, and below it a line a field. */
export function renderChanges(changes: readonly WorkspaceChangeAnswer[], output: Output): readonly string[] {
  const { styles } = output;
  return changes.flatMap((change) => {
    const { sign, style } = LOOKS[change.kind];
    const head = styles[style](`${sign} ${plainText(`${change.objectType.toLowerCase()} ${change.key}`)}`);
    // What is new says all of itself; the file at hand has it.
    if (change.kind !== "UPDATE") return [head];
    return [
      head,
      ...change.fields.map((field) => {
        const before = field.before === null || field.before === undefined ? "(none)" : valueText(field.before);
        const after = field.after === null || field.after === undefined ? "(none)" : valueText(field.after);
        return `    ${plainText(field.path)}: ${styles.red(before)} ${styles.dim("->")} ${styles.green(after)}`;
      }),
    ];
  });
}

/** `3 to create, 1 to change, 2 to delete`, or what was `created`, `changed`, `deleted`. */
export function changesSummary(changes: readonly WorkspaceChangeAnswer[], time: keyof typeof WORDS): string {
  const parts = (["CREATE", "UPDATE", "DELETE"] as const).flatMap((kind) => {
    const count = changes.filter((change) => change.kind === kind).length;
    return count === 0 ? [] : [`${count} ${WORDS[time][kind]}`];
  });
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

function valueText(value: unknown): string {
  return truncate(plainText(typeof value === "string" ? value : JSON.stringify(value)), LONGEST_VALUE);
}
