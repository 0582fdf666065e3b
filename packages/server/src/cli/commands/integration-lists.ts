import { InvalidArgumentError } from "commander";
import { CliError } from "../cli-error.js";

export const MOST_LISTED = 1_000;

/** Says that the integration that a command is about does not exist, for whoever asks. */
export function unknownIntegration(key: string): CliError {
  return new CliError("refused", `There is no integration "${key}".`, { code: "QSC_VERSION_NOT_FOUND" });
}

/** How many a list shows. */
export function listLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_LISTED)
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST_LISTED}.`);
  return limit;
}
