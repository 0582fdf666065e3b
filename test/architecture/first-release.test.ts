import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What the pending changesets say of a package. */
function pendingBumps(packageName: string): readonly string[] {
  const folder = join(root, ".changeset");
  const texts = readdirSync(folder)
    .filter((name) => name.endsWith(".md"))
    .map((name) => readFileSync(join(folder, name), "utf8"));
  return texts.flatMap((text) => text.match(new RegExp(`^"${packageName}": (\\w+)$`, "mu"))?.[1] ?? []);
}

test.each(["sdk", "create-connector"])("the first release of %s is 1.0.0, as its reference says", (folder) => {
  const manifest = JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8")) as Record<string, string>;
  const isReleased = !(manifest["version"] ?? "").startsWith("0.");
  // A major change of 0.x is 1.0.0; a minor one of 1.0.0 would make the first release 1.1.0.
  expect(isReleased ? ["major"] : pendingBumps(manifest["name"] ?? "")).toContain("major");
});
