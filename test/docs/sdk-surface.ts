import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./markdown.js";

/** A name that `@quiesce/sdk` gives to authors. */
export interface PublicName {
  /** The module that authors import it from. */
  readonly from: "@quiesce/sdk" | "@quiesce/sdk/testing";
  readonly name: string;
  readonly kind: "interface" | "type" | "const" | "function" | "class";
  /** Experimental: may change with a minor version. It is the tag of its docstring. */
  readonly stability: "stable" | "experimental";
  /** The docstring without its frame; lines as they are in the source. */
  readonly description: string;
  /** The declaration without what is behind it. */
  readonly declaration: string;
  /** Relative to `packages/sdk/src`. */
  readonly file: string;
}

const SOURCES = join(root, "packages/sdk/src");
const ENTRIES = { "@quiesce/sdk": "index.ts", "@quiesce/sdk/testing": "testing/index.ts" } as const;
/** Given on as it is. */
const FOREIGN = new Set(["z"]);

/** Everything that the package's entries export, by entry and name. */
export function publicNames(): readonly PublicName[] {
  return (Object.keys(ENTRIES) as (keyof typeof ENTRIES)[]).flatMap((from) => {
    const entry = join(SOURCES, ENTRIES[from]);
    const exported = [...readFileSync(entry, "utf8").matchAll(/^export (?:type )?\{([^}]*)\} from "([^"]+)";/gm)];
    return exported
      .flatMap(([, names = "", module = ""]) =>
        names
          .split(",")
          .map((name) => name.trim().replace(/^type /, ""))
          .filter((name) => name !== "" && !FOREIGN.has(name))
          .map((name) => nameIn(join(dirname(entry), module.replace(/\.js$/, ".ts")), { from, name })),
      )
      .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  });
}

function nameIn(path: string, { from, name }: Pick<PublicName, "from" | "name">): PublicName {
  const text = readFileSync(path, "utf8");
  const file = path.slice(SOURCES.length + 1);
  const found = new RegExp(`^export (?:async )?(interface|type|const|function|class) ${name}\\b`, "m").exec(text);
  if (found === null) throw new Error(`${file} declares no ${name}, which ${from} exports.`);
  const kind = found[1] as PublicName["kind"];
  const doc = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(text.slice(0, found.index))?.[1] ?? "";
  const lines = doc.split("\n").map((line) => line.replace(/^\s*\* ?/, "").trimEnd());
  const description = lines.join("\n").replace("@experimental", "").trim();
  const stability = doc.includes("@experimental") ? "experimental" : "stable";
  return { from, name, kind, stability, description, declaration: declarationOf(text.slice(found.index), kind), file };
}

/** Sources are formatted, so what ends a declaration stands at the beginning or the end of a line. */
function declarationOf(text: string, kind: PublicName["kind"]): string {
  switch (kind) {
    case "interface":
    case "class":
      return /^[^\n]*\{\}\n/.test(text) ? text.slice(0, text.indexOf("\n")) : text.slice(0, text.indexOf("\n}") + 2);
    case "function":
      return signatureOf(text);
    case "const":
      // A call's arguments, or a table of its own, are in the sources.
      return (
        /^export const \w+(?:: [^=]+)? = (?:"[^"\n]*"|\d[\d_]*|\[[^\]]*\]|\{[^{}]*\})(?: as const)?;/.exec(text)?.[0] ??
        /^export const \w+(?:: [^=]+)?(?= = )/.exec(text)?.[0] ??
        ""
      );
    case "type":
      return text.slice(0, endOfStatement(text));
  }
}

function signatureOf(text: string): string {
  let open = 0;
  let end = 0;
  for (const line of text.split("\n")) {
    end += line.length + 1;
    open += (line.match(/\(/g) ?? []).length - (line.match(/\)/g) ?? []).length;
    if (open === 0 && line.endsWith("{")) return `${text.slice(0, end - 1).replace(/ \{$/, "")};`;
  }
  throw new Error(`This function has no body: ${text.slice(0, 80)}`);
}

function endOfStatement(text: string): number {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text.startsWith("/*", index)) index = text.indexOf("*/", index) + 1;
    else if (text.startsWith("//", index)) index = text.indexOf("\n", index);
    const character = text.charAt(index);
    if ("{[(".includes(character)) depth += 1;
    if ("}])".includes(character)) depth -= 1;
    if (character === ";" && depth === 0) return index + 1;
  }
  return text.length;
}
