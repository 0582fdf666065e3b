/**
 * The JSON of a value as jsonb takes it. PostgreSQL refuses zero characters and halves of surrogate pairs, which JSON allows: one such character in
 * one record must not stop a page for ever, so they become U+FFFD.
 */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) => {
    if (typeof member === "string") return storableText(member);
    if (typeof member === "bigint") return member.toString();
    if (typeof member !== "object" || member === null || Array.isArray(member)) return member;
    const names = Object.keys(member);
    if (names.every((name) => storableText(name) === name)) return member;
    return Object.fromEntries(Object.entries(member).map(([name, item]) => [storableText(name), item]));
  });
}

/** The same for a text. */
export function storableText(text: string): string {
  const wellFormed = /[\ud800-\udfff]/.test(text) ? Buffer.from(text, "utf8").toString("utf8") : text;
  return wellFormed.replaceAll("\0", "\ufffd");
}
