/** What an array holds: an element, null, or the arrays of a further dimension. */
export type ArrayItem<T> = T | null | readonly ArrayItem<T>[];

/**
 * Reads PostgreSQL's text of an array. postgres.js's own reader hands an unquoted NULL to the element's parser as the
 * word "NULL", so a null in a text[] would come back as a string.
 */
export function parseArray<T>(text: string, parseElement: (text: string) => T): readonly ArrayItem<T>[] {
  // An array with other bounds than 1 starts with them: [0:1]={...}.
  let position = text.indexOf("{");

  const readElement = (): ArrayItem<T> => {
    if (text[position] === "{") return readList();
    if (text[position] !== '"') {
      const end = /[,}]/.exec(text.slice(position));
      const word = text.slice(position, position + (end?.index ?? 0));
      position += word.length;
      return word === "NULL" ? null : parseElement(word);
    }
    let element = "";
    for (position += 1; text[position] !== '"'; position += 1) {
      if (text[position] === "\\") position += 1;
      if (position >= text.length) throw new TypeError(`The array ${text} ends inside a quoted element.`);
      element += text[position];
    }
    position += 1;
    return parseElement(element);
  };

  const readList = (): readonly ArrayItem<T>[] => {
    const items: ArrayItem<T>[] = [];
    position += 1;
    while (text[position] !== "}") {
      if (position >= text.length) throw new TypeError(`The array ${text} has no end.`);
      if (text[position] === ",") position += 1;
      items.push(readElement());
    }
    position += 1;
    return items;
  };

  if (position < 0) throw new TypeError(`"${text}" is not an array as PostgreSQL writes it.`);
  return readList();
}

/** Writes an array as text that PostgreSQL reads. Text passes unchanged: drizzle's array columns arrive written already. */
export function formatArray(value: unknown, formatElement: (element: unknown) => string): string {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) throw new TypeError(`Expected an array for this parameter; found ${typeof value}.`);
  const items = value.map((item: unknown) => {
    if (item === null) return "NULL";
    if (Array.isArray(item)) return formatArray(item, formatElement);
    const text = formatElement(item);
    // Most have nothing to mark, and to see that is faster than to replace nothing.
    return `"${/["\\]/.test(text) ? text.replaceAll(/["\\]/g, (special) => `\\${special}`) : text}"`;
  });
  return `{${items.join(",")}}`;
}
