import { Option } from "commander";

export interface OverrideFreezeOptions {
  readonly overrideFreeze?: string;
}

/** `--override-freeze <reason>`: one option for permission to ask for and the reason that stays on record. */
export const overrideFreezeOption = (): Option =>
  new Option("--override-freeze <reason>", "plan a change that falls into a freeze all the same; wants a role that may (approver, admin)");

export const overrideFreezeOf = ({ overrideFreeze }: OverrideFreezeOptions) => (overrideFreeze === undefined ? {} : { overrideFreeze });
