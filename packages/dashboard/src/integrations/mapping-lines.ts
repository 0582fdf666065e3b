/** A stream of an integration as the page reads it: what the API hands out as JSON. */
export interface ShownStream {
  readonly name: string;
  readonly mapping: unknown;
  readonly when: string | null;
}

/** One field of the target: where its value comes from, and what is done with it. */
export interface FieldLine {
  readonly target: string;
  readonly from: string;
  readonly how: string;
  readonly isKey: boolean;
}

type Fields = { readonly [name: string]: unknown };
const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** The streams that are mapped; whatever is not one is left out. */
export function streamsOf(streams: unknown): readonly ShownStream[] {
  if (!Array.isArray(streams)) return [];
  return streams.flatMap((one: unknown): readonly ShownStream[] => {
    if (!isObject(one) || !isObject(one["mapping"])) return [];
    const name = textOf(one["stream"]);
    return name === null ? [] : [{ name, mapping: one["mapping"], when: textOf(one["mapping"]["when"]) }];
  });
}

export function fieldLines({ mapping }: ShownStream): readonly FieldLine[] {
  if (!isObject(mapping) || !isObject(mapping["fields"])) return [];
  const key = textOf(mapping["key"]);
  return Object.entries(mapping["fields"]).map(([target, rule]) => {
    const { from, const: fixed, expression, ...rest }: Fields = isObject(rule) ? rule : {};
    const source = textOf(from) ?? textOf(expression) ?? (fixed === undefined ? "" : JSON.stringify(fixed));
    const how = Object.entries(rest).map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`);
    return { target, from: source, how: how.join(", "), isKey: target === key };
  });
}

/** A value out of a text, or what is wrong with the text. */
export function parseJson(text: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
