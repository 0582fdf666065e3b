import { RE2JS } from "re2js";

/** A match as JavaScript's own `exec` answers it, as far as expressions look at it. */
export interface LinearMatch extends Array<string | undefined> {
  index: number;
}

/** The parser keeps one object for each pattern of an expression; it is compiled at its first use only. */
const compiled = new WeakMap<RegExp, RE2JS>();

/**
 * A regular expression whose time grows with the text and not with its square or worse: RE2 instead of backtracking, so that no record can stop a
 * server. Lookaheads and backreferences do not exist there: the constructor throws for them, with the engine's reason.
 */
export class LinearRegExp {
  readonly source: string;
  lastIndex = 0;
  readonly #engine: RE2JS;

  constructor(pattern: RegExp) {
    this.source = pattern.source;
    this.#engine = compiled.get(pattern) ?? compile(pattern);
    compiled.set(pattern, this.#engine);
  }

  /** The next match from `lastIndex` on, which moves behind it; null if there is none. */
  exec(text: string): LinearMatch | null {
    const matcher = this.#engine.matcher(text);
    if (this.lastIndex > text.length || !matcher.find(this.lastIndex)) {
      this.lastIndex = 0;
      return null;
    }
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_none, group) => matcher.group(group) ?? undefined);
    this.lastIndex = matcher.end();
    return Object.assign(groups, { index: matcher.start() });
  }
}

function compile(pattern: RegExp): RE2JS {
  const flags = (pattern.ignoreCase ? RE2JS.CASE_INSENSITIVE : 0) | (pattern.multiline ? RE2JS.MULTILINE : 0);
  return RE2JS.compile(RE2JS.translateRegExp(pattern), flags);
}
