import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { CachedHolds } from "./known-holds.js";

/** Keeps the last known holds of an integration in a file. */
export interface HoldCache {
  /** undefined when there is none, or none that can be read. */
  readonly read: () => Promise<CachedHolds | undefined>;
  readonly write: (holds: CachedHolds) => Promise<void>;
}

const cachedSchema = z.object({
  version: z.literal(1),
  url: z.string(),
  integration: z.string(),
  fetchedAt: z.number(),
  asOf: z.number(),
  holds: z.array(z.object({ from: z.number(), until: z.number().nullable(), title: z.string(), owner: z.string(), reason: z.string() })),
});

/** A cache for one integration of one server, so that two servers never answer for each other. */
export function holdCache(input: { readonly folder: string; readonly url: string; readonly integration: string }): HoldCache {
  const name = createHash("sha256").update(`${input.url}\n${input.integration}`).digest("hex").slice(0, 24);
  const file = join(input.folder, `${name}.json`);
  return {
    read: async () => {
      try {
        const cached = cachedSchema.safeParse(JSON.parse(await readFile(file, "utf8")));
        return cached.success && cached.data.url === input.url && cached.data.integration === input.integration ? cached.data : undefined;
      } catch (error) {
        // Not there, not readable or half a file: then nothing is known, which is a verdict of its own.
        if (error instanceof SyntaxError || (error instanceof Error && "code" in error)) return undefined;
        throw error;
      }
    },
    write: async (holds) => {
      await mkdir(input.folder, { recursive: true, mode: 0o700 });
      const half = `${file}.${randomUUID()}`;
      try {
        await writeFile(half, JSON.stringify({ version: 1, url: input.url, ...holds }), { mode: 0o600 });
        // A reader sees the old file or the new one, never half of it.
        await rename(half, file);
      } finally {
        await rm(half, { force: true });
      }
    },
  };
}
