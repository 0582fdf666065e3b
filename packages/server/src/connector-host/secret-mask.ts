import { type Redact, redactDeep, redactor } from "../credentials/redactor.js";

/** Hides the secrets that one run (or one check) has met, in whatever is logged, stored or shown of it. */
export interface SecretMask {
  /** From now on these values are hidden too. */
  add(values: Iterable<string>): void;
  text(text: string): string;
  /** The same for every string of a JSON-like value. */
  deep<T>(value: T): T;
}

/** Starts empty: each endpoint that is opened adds its secrets. */
export function createSecretMask(): SecretMask {
  const values = new Set<string>();
  let redact: Redact = (text) => text;
  return {
    add(more) {
      for (const value of more) values.add(value);
      redact = redactor(values);
    },
    text: (text) => redact(text),
    // redactDeep keeps the shape and changes texts only.
    deep: <T>(value: T): T => redactDeep(redact, value) as T,
  };
}
