import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** One import or re-export, also a dynamic one. */
export interface ImportedModule {
  readonly specifier: string;
  /** `import type` and `export type`: nothing of it is left at run time. */
  readonly typeOnly: boolean;
}

/** A source file of a package, as the rules look at it. */
export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly isTest: boolean;
  readonly imports: readonly ImportedModule[];
  /** Without comments; texts in quotes are emptied, so that a word in a message breaks no rule. */
  readonly code: string;
  /** With comments and texts, as it stands. */
  readonly text: string;
}

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Comments, or a text that may hold what looks like one. The order matters: whatever begins first wins. */
const commentOrText = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g;
const statements = [
  /(?:^|[;\n])\s*(?:import|export)\s+(type\s+)?(?:[\w*\s{},$]+?\s+from\s+)?"([^"\n]+)"/g,
  /\bimport\s*\(\s*()"([^"\n]+)"\s*\)/g,
] as const;

/** Reads TypeScript the way these rules need it; there is no compiler API to ask. */
export function parseSource(path: string, text: string): SourceFile {
  const withoutComments = text.replaceAll(commentOrText, (found) => (found.startsWith("/") ? " " : found));
  const imports = statements.flatMap((statement) =>
    [...withoutComments.matchAll(statement)].map((match) => ({ specifier: match[2] ?? "", typeOnly: (match[1] ?? "") !== "" })),
  );
  const code = withoutComments.replaceAll(commentOrText, (found) => (found.startsWith("`") ? templateCode(found) : '""'));
  return { path, isTest: path.endsWith(".test.ts"), imports, code, text };
}

/** Of a template only what stands in `${...}` is code. */
function templateCode(template: string): string {
  return `\`${[...template.matchAll(/\$\{([^}]*)\}/g)].map((match) => match[1]).join(" ")}\``;
}

/** Every TypeScript source below a folder of the repository; none when the folder does not exist yet. */
export function sourceFiles(folder: string): readonly SourceFile[] {
  let names: readonly string[];
  try {
    names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return [];
    throw error;
  }
  return names
    .filter((name) => /\.tsx?$/.test(name) && !/(^|[\\/])(node_modules|dist)[\\/]/.test(name))
    .map((name) =>
      relative(root, join(root, folder, name))
        .split(sep)
        .join("/"),
    )
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((path) => parseSource(path, readFileSync(join(root, path), "utf8")));
}

/** The names of the folders right below one. */
export function foldersOf(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
}

/** The file that a relative import of a source file names, without its ending. */
export function resolveRelative(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/").replace(/\.[jt]sx?$/, "");
}
