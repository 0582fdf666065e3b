const MASK = "•••";
const MIN_LENGTH = 4;

/** Hides the values of secrets in a text, plain and in the forms in which they travel: base64, URL-encoded, JSON. Values below four characters are left. */
export function secretMasker(secrets: unknown): (text: string) => string {
  const values = textsOf(secrets).filter((value) => value.length >= MIN_LENGTH);
  const forms = values.flatMap((value) => [
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    ...["base64", "base64url"].map((encoding) =>
      Buffer.from(value, "utf8")
        .toString(encoding as "base64")
        .replaceAll("=", ""),
    ),
  ]);
  const longestFirst = [...new Set(forms)].toSorted((left, right) => right.length - left.length);
  return (text) => longestFirst.reduce((masked, form) => masked.replaceAll(form, MASK), text);
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
