import { DomainError } from "@quiesce/core";
import type { z } from "zod";

/** The input as its schema reads it. Throws a DomainError of this code with the first field at fault. */
export function parsed<T>(schema: z.ZodType<T>, value: unknown, code: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join(".") ?? "";
  throw new DomainError(code, `${field === "" ? "" : `${field}: `}${issue?.message ?? "The input does not fit."}`, { field });
}
