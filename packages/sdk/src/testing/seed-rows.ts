import type { SeedRow } from "./conformance-options.js";
import { TEST_NOW } from "./test-context.js";

const ROWS = 12;
const HOUR_MS = 3_600_000;

/** Rows of the last hour. Six in the middle share one instant, so that pages of most sizes end among them. */
export const SEED_ROWS: readonly SeedRow[] = Array.from({ length: ROWS }, (_, index) => {
  const step = index < 3 ? index : index < 9 ? 3 : index - 5;
  return { id: String(index + 1), at: new Date(TEST_NOW.getTime() - HOUR_MS + step * 1000), n: index };
});
