import type { Command } from "commander";
import { CliError } from "./cli-error.js";
import type { Scope } from "./operations/shapes.js";

/** What a window or pause covers, as options. */
export interface ScopeOptions {
  readonly integration?: readonly string[];
  readonly system?: readonly string[];
  readonly tag?: readonly string[];
  readonly all?: boolean;
}

export interface ScopeInput {
  readonly all?: boolean;
  readonly integrations?: readonly string[];
  readonly systems?: readonly string[];
  readonly tags?: readonly string[];
}

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];

/** Adds the four options that name what is covered; the first three may be repeated. */
export function addScopeOptions(command: Command): Command {
  return command
    .option("-i, --integration <key>", "an integration (repeat for more)", collect)
    .option("-s, --system <key>", "a system, with every integration that touches it or what depends hard on it (repeat for more)", collect)
    .option("-t, --tag <tag>", "every integration with this tag (repeat for more)", collect)
    .option("--all", "every integration");
}

/** The scope for the server; undefined when no option named one. */
export function scopeOf(options: ScopeOptions): ScopeInput | undefined {
  const named = [options.integration, options.system, options.tag].some((list) => list !== undefined);
  if (options.all === true && named)
    throw new CliError("usage", "--all covers everything; leave --integration, --system and --tag out, or leave --all out.");
  if (options.all === true) return { all: true };
  if (!named) return undefined;
  return {
    ...(options.integration === undefined ? {} : { integrations: options.integration }),
    ...(options.system === undefined ? {} : { systems: options.system }),
    ...(options.tag === undefined ? {} : { tags: options.tag }),
  };
}

/** As `scopeOf`, but something must be named. */
export function requiredScopeOf(options: ScopeOptions): ScopeInput {
  const scope = scopeOf(options);
  if (scope === undefined)
    throw new CliError("usage", "What should be covered? Name it with --integration, --system or --tag, or say --all.");
  return scope;
}

/** A scope in words: `systems erp, crm; tag payroll`. */
export function scopeText(scope: Scope): string {
  if (scope.all) return "everything";
  const part = (name: string, keys: readonly string[]): readonly string[] =>
    keys.length === 0 ? [] : [`${name}${keys.length > 1 ? "s" : ""} ${keys.join(", ")}`];
  return [...part("integration", scope.integrations), ...part("system", scope.systems), ...part("tag", scope.tags)].join("; ");
}
