import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AllowedPackage } from "./connector-list.js";
import type { FoundPackage } from "./find-package.js";

/** Differs when the entry of the list differs, the package's version or place, or when its package.json or its entry module was written again. */
export async function packageStamp(found: FoundPackage, allowed: AllowedPackage): Promise<string> {
  const files = [join(found.folder, "package.json"), fileURLToPath(found.module)];
  const times = await Promise.all(
    files.map(async (file) => {
      const { mtimeMs, size } = await stat(file);
      return [mtimeMs, size];
    }),
  );
  return JSON.stringify([allowed, found.folder, found.name, found.version, times]);
}
