import { builder } from "./builder.js";

/** An enum whose values are our own words in capitals: `break-glass` is BREAK_GLASS outside and stays itself inside. */
export function capsEnum<const Value extends string>(
  name: string,
  description: string,
  values: readonly Value[],
  about: { readonly [value in Value]?: string } = {},
) {
  const entries = values.map((value) => [
    value.toUpperCase().replaceAll("-", "_"),
    { value, ...(about[value] === undefined ? {} : { description: about[value] }) },
  ]);
  return builder.enumType(name, { description, values: Object.fromEntries(entries) as Record<string, { value: Value }> });
}
