import { grantForm, parseGrant } from "@quiesce/core";
import { InvalidArgumentError } from "commander";
import { z } from "zod";
import { plainText } from "./output/plain-text.js";

/** A grant as the server takes it. */
export interface GrantInput {
  readonly role: string;
  readonly scope: string;
  readonly name?: string;
}

/** The fields of `grantShape`. */
export const GRANT_FIELDS = "grants { role scope { kind name } }";
/** Grants as the server answers them. */
export const grantsShape = z.array(z.object({ role: z.string(), scope: z.object({ kind: z.string(), name: z.string().nullable() }) }));

/** The API's word for one of ours: connector-author is CONNECTOR_AUTHOR. */
export function enumOf(word: string): string {
  return word.toUpperCase().replaceAll("-", "_");
}

const wordOf = (name: string): string => name.toLowerCase().replaceAll("_", "-");

/** An option that may be given again: each value one more grant. */
export function grantOption(text: string, before: readonly GrantInput[]): readonly GrantInput[] {
  const grant = parseGrant(text);
  if (grant === null) throw new InvalidArgumentError(`Expected ${grantForm}.`);
  const { role, scope } = grant;
  return [...before, { role: enumOf(role), scope: enumOf(scope.kind), ...(scope.kind === "all" ? {} : { name: scope.name }) }];
}

/** Grants as people write them: `viewer, operator@team:erp`. */
export function grantsText(grants: z.infer<typeof grantsShape>): string {
  return grants
    .map(({ role, scope }) => (scope.name === null ? wordOf(role) : `${wordOf(role)}@${wordOf(scope.kind)}:${plainText(scope.name)}`))
    .join(", ");
}
