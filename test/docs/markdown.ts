import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the checkout. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** A page of the documentation. */
export interface Page {
  /** Relative to the checkout. */
  readonly path: string;
  readonly text: string;
}

/** A fenced code block. */
export interface Block {
  readonly page: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** The name in an HTML comment `<!-- stranger: name -->` right above it. */
  readonly step: string | undefined;
  /** What the test of a tutorial does with it: the text in an HTML comment `<!-- tutorial: text -->` right above it. */
  readonly tutorial: string | undefined;
}

const OUTSIDE_DOCS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"];

/** Every page that people are sent to. */
export function pages(): readonly Page[] {
  const inDocs = markdownUnder(join(root, "docs")).concat(markdownUnder(join(root, "examples")));
  return [...OUTSIDE_DOCS.map((name) => join(root, name)), ...inDocs].map((path) => ({
    path: relative(root, path),
    text: readFileSync(path, "utf8"),
  }));
}

function markdownUnder(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return markdownUnder(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

/** The fenced blocks of a page, in order. Throws for one that never ends. */
export function blocksOf(page: Page): readonly Block[] {
  const blocks: Block[] = [];
  let open: (Omit<Block, "page" | "code"> & { readonly code: string[] }) | undefined;
  let above = "";
  for (const [index, line] of page.text.split("\n").entries()) {
    const fence = /^```(\S*)\s*$/.exec(line);
    if (fence === null) open?.code.push(line);
    else if (open === undefined)
      open = {
        line: index + 2,
        language: fence[1] ?? "",
        step: /^<!-- stranger: (\S+) -->$/.exec(above)?.[1],
        tutorial: /^<!-- tutorial: (.+) -->$/.exec(above)?.[1],
        code: [],
      };
    else {
      blocks.push({ ...open, page: page.path, code: open.code.join("\n") });
      open = undefined;
    }
    above = line;
  }
  if (open !== undefined) throw new Error(`${page.path}:${open.line}: this block has no end.`);
  return blocks;
}

/** A link or image of a page that points into the checkout. */
export interface Link {
  readonly target: string;
  readonly problem: string | undefined;
}

/** The relative links of a page, each with what is wrong with it. */
export function linksOf(page: Page): readonly Link[] {
  const prose = page.text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = ""]) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? join(root, page.path) : resolve(root, dirname(page.path), path);
    return [{ target, problem: problemOf(file, anchor) }];
  });
}

function problemOf(file: string, anchor: string | undefined): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) return "there is no such file";
  if (anchor === undefined) return undefined;
  return anchorsOf(readFileSync(file, "utf8")).includes(anchor) ? undefined : `there is no heading #${anchor}`;
}

/** The anchors that GitHub makes of headings. */
function anchorsOf(text: string): readonly string[] {
  const headings = text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-"),
  );
}
