import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

/** What a phone on a bad line has to fetch before it shows what happens now. */
const LIMIT_KIB = 250;

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
}
type Manifest = { readonly [source: string]: Chunk };

const dist = (path: string) => fileURLToPath(new URL(`../../packages/dashboard/dist/${path}`, import.meta.url));
const isBuilt = existsSync(dist(".vite/manifest.json"));
if (!isBuilt) {
  const what = "The dashboard is not built (npm run build): the size of its start page is not looked at.";
  if (process.env["CI"] === "true") throw new Error(what);
  console.log(`Skipped: ${what}`);
}

/** The scripts that some entries load, themselves included. */
function scriptsOf(manifest: Manifest, entries: readonly string[], known = new Set<string>()): ReadonlySet<string> {
  for (const entry of entries) {
    const chunk = manifest[entry];
    if (chunk === undefined) throw new Error(`The build has no ${entry}: the page was moved, and this test looks at nothing.`);
    if (known.has(chunk.file)) continue;
    known.add(chunk.file);
    scriptsOf(manifest, chunk.imports ?? [], known);
  }
  return known;
}

describe.skipIf(!isBuilt)("the start page", () => {
  it.each(["en", "es"])(`takes less than ${LIMIT_KIB} KiB of script, compressed, in %s`, (language) => {
    const manifest = JSON.parse(readFileSync(dist(".vite/manifest.json"), "utf8")) as Manifest;
    const scripts = [...scriptsOf(manifest, ["index.html", "src/now/now-page.tsx", `src/messages/${language}.ts`])];
    const kib = scripts.reduce((sum, file) => sum + gzipSync(readFileSync(dist(file)), { level: 9 }).length, 0) / 1024;
    console.log(`The start page in ${language}: ${scripts.length} scripts, ${kib.toFixed(1)} KiB with gzip.`);
    expect(scripts.length).toBeGreaterThan(2);
    expect(kib).toBeLessThan(LIMIT_KIB);
  });

  it("leaves heavy libraries to the pages that show them", () => {
    const manifest = JSON.parse(readFileSync(dist(".vite/manifest.json"), "utf8")) as Manifest;
    const start = [...scriptsOf(manifest, ["index.html", "src/now/now-page.tsx"])].map((file) => readFileSync(dist(file), "utf8")).join("");
    for (const mark of ["fc-timegrid", "uplot", "react-flow__"]) expect([mark, start.includes(mark)]).toEqual([mark, false]);
  });
});
