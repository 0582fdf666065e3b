import { z } from "zod";
import { strictObject } from "./strict-object.js";

const secretText = z.string().min(1).max(65_536);

/**
 * Where a secret's value comes from. `value` beside `env` or `file` is filled in by whoever reads the file, before it is sent.
 * `sealed` names, by its fingerprint, the value that is stored already: so an export never contains a value.
 */
export const secretSchema = strictObject({
  env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, "Expected the name of an environment variable, such as ERP_PASSWORD.")
    .optional(),
  file: z.string().trim().min(1).max(1_000).optional(),
  value: secretText.optional(),
  sealed: z.string().min(1).max(100).optional(),
}).superRefine((secret, context) => {
  const sources = [secret.env, secret.file, secret.sealed].filter((source) => source !== undefined).length;
  const complete = sources === 1 || (sources === 0 && secret.value !== undefined);
  if (!complete || (secret.sealed !== undefined && secret.value !== undefined)) {
    context.addIssue({ code: "custom", message: "Expected exactly one of env, file, value and sealed." });
  }
});

export type SecretEntry = z.output<typeof secretSchema>;
