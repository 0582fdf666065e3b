import type { WindowImport } from "@quiesce/core";
import type { Output } from "../cli.js";
import { plainText } from "./plain-text.js";

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

/** What became of another tool's windows, for people: what is missing first, by its name there. */
export function renderImport(imported: WindowImport, out: Output): readonly string[] {
  const line = (word: string, name: string, message: string) => `${word}: ${out.styles.bold(plainText(name))}. ${plainText(message)}`;
  const leftOut = imported.leftOut.map(({ name, message }) => line(out.styles.red("Left out"), name, message));
  const unmapped = imported.unmapped.map(({ entity, windows }) => {
    const name = entity.label === undefined ? entity.id : `${entity.id} (${entity.label})`;
    return line(out.styles.red("Unmapped"), name, `Say what it is here: --map "${entity.id}=system:…". Named by ${windows.join(", ")}.`);
  });
  const unused = imported.unusedNames.map((name) => line("Unused", name, "The map has it, and no window names it."));
  const over = imported.over.map((name) => line("Over", name, "Nothing of it lies ahead."));
  const remarks = imported.remarks.map(({ name, message }) => line("Clock change", name, message));
  const summary = `${counted(imported.windows.length, "window")}, ${counted(imported.leftOut.length, "thing")} left out, ${imported.over.length} over.`;
  return [...leftOut, ...unmapped, ...unused, ...over, ...remarks, summary];
}
