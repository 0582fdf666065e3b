import { z } from "zod";
import { slugSchema } from "../catalog/slug.js";
import { type WindowScope, windowScopeSchema } from "../catalog/window-scope.js";
import { type WindowKind, windowKinds } from "./window-kinds.js";
import { type DrainPolicyInput, drainPolicySchema } from "./drain-policy.js";
import { type ResumePolicyInput, resumePolicySchema } from "./resume-policy.js";
import type { WindowSeries } from "./window-series.js";
import { windowSeriesSchema } from "./window-series.js";

/** `enforce` holds; `observe` only records what would have been held. */
export const windowModes = ["enforce", "observe"] as const;
export type WindowMode = (typeof windowModes)[number];

/** What a person plans: a maintenance window as it is created or edited. */
export interface WindowInput {
  /** A stable name; made from the title when absent. */
  readonly key?: string | undefined;
  readonly title: string;
  /** What it does to those it covers: a row of the table of kinds. `maintenance` when left out. */
  readonly kind?: WindowKind | undefined;
  readonly mode?: WindowMode | undefined;
  readonly series: WindowSeries;
  readonly scope: WindowScope;
  /** How it empties what it covers; what is left out is as in `defaultDrainPolicy`. */
  readonly drain?: DrainPolicyInput | undefined;
  readonly resume?: ResumePolicyInput | undefined;
  /** The team or person who answers for the window. */
  readonly owner: string;
  readonly reason: string;
  /** Yes, it really is longer than 31 days. */
  readonly confirmLong?: boolean | undefined;
}

export const windowInputSchema: z.ZodType<WindowInput> = z.strictObject({
  key: slugSchema.optional(),
  title: z.string().trim().min(1).max(200),
  kind: z.enum(windowKinds).optional(),
  mode: z.enum(windowModes).optional(),
  series: windowSeriesSchema,
  scope: windowScopeSchema,
  drain: drainPolicySchema.optional(),
  resume: resumePolicySchema.optional(),
  owner: z.string().trim().min(1).max(200),
  reason: z.string().trim().min(1).max(2_000),
  confirmLong: z.boolean().optional(),
});

/** A slug from a title: "ERP, first Sunday" becomes "erp-first-sunday". */
export function keyFromTitle(title: string): string {
  const slug = title
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60)
    .replace(/-+$/, "");
  return slug === "" ? "window" : slug;
}
