/** One simple command of a shell script: its words, without the variables set before it. */
export interface ShellCommand {
  readonly words: readonly string[];
  readonly line: number;
}

const OPERATORS = ["&&", "||", "|", ";", "&"];

/**
 * The simple commands of a block of shell: enough of the language for documentation. Quotes are removed, `$(…)` and variables are kept as words, a
 * backslash at the end of a line continues it, `#` begins a comment.
 */
export function shellCommands(code: string): readonly ShellCommand[] {
  const lines = code.split("\n");
  const commands: ShellCommand[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    let text = lines[index] ?? "";
    while (text.endsWith("\\") && index + 1 < lines.length) {
      index += 1;
      text = `${text.slice(0, -1)} ${(lines[index] ?? "").trim()}`;
    }
    let words: string[] = [];
    const finish = (): void => {
      const meant = words.slice(words.findIndex((word) => !/^[A-Z_]+=/.test(word)));
      if (words.some((word) => !/^[A-Z_]+=/.test(word))) commands.push({ words: meant, line });
      words = [];
    };
    for (const word of shellWords(text)) {
      if (word.quoted || !OPERATORS.includes(word.text)) words.push(word.text);
      else finish();
    }
    finish();
  }
  return commands;
}

interface Word {
  readonly text: string;
  readonly quoted: boolean;
}

function shellWords(text: string): readonly Word[] {
  const pattern = /\s+|#.*$|(?<operator>&&|\|\||[|;&])|(?<word>(?:"(?:[^"\\]|\\.)*"|'[^']*'|\$\([^)]*\)|\\.|[^\s"'\\|;&])+)/gy;
  const words: Word[] = [];
  for (const match of text.matchAll(pattern)) {
    const { operator, word } = match.groups ?? {};
    if (operator !== undefined) words.push({ text: operator, quoted: false });
    if (word !== undefined) words.push({ text: unquoted(word), quoted: /["']/.test(word) });
  }
  return words;
}

function unquoted(word: string): string {
  return word.replace(
    /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g,
    (_, double?: string, single?: string, escaped?: string) => double?.replace(/\\(["\\$])/g, "$1") ?? single ?? escaped ?? "",
  );
}
