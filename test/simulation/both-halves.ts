import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What the stories of one half, or of both, were: how many, and how often each thing took place in them. */
export interface Sum {
  readonly stories: number;
  readonly counts: { readonly [name: string]: number };
}

const halves = [0, 1] as const;

/** One file a half in the temporary folder, named after the run's template database, which no other run has. */
const fileOf = (half: 0 | 1): string => join(tmpdir(), `${process.env["QUIESCE_TEST_TEMPLATE"]}-simulation-${half}.json`);

export function sumOf(stories: readonly { readonly [name: string]: number }[]): Sum {
  const counts: { [name: string]: number } = {};
  for (const story of stories) for (const [name, count] of Object.entries(story)) counts[name] = (counts[name] ?? 0) + count;
  return { stories: stories.length, counts };
}

/** The halves are told by two processes. The one that ends last gets the sum of both, the other null. */
export async function sumWithOtherHalf(half: 0 | 1, mine: Sum): Promise<Sum | null> {
  await writeFile(fileOf(half), JSON.stringify(mine));
  const found = await Promise.all(halves.map((one) => readFile(fileOf(one), "utf8").catch(() => null)));
  const told = found.flatMap((text) => (text === null ? [] : [JSON.parse(text) as Sum]));
  if (told.length < halves.length) return null;
  await Promise.all(halves.map((one) => rm(fileOf(one), { force: true })));
  return { ...sumOf(told.map((one) => one.counts)), stories: told.reduce((sum, one) => sum + one.stories, 0) };
}
