import type { BurnRuleName } from "@quiesce/core";

/** The fingerprint of an objective's alert by a rule. No monitor's of the same endpoint is likely to be this. */
export function burnFingerprint(objectiveKey: string, rule: BurnRuleName): string {
  return `quiesce:objective/${objectiveKey}/${rule}`;
}
