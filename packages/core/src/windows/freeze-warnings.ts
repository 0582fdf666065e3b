/** What of a preview says something about freezes. */
export interface PreviewedFreezes {
  /** Freezes that a reason was given for. */
  readonly overridden: readonly { readonly freeze: string; readonly title: string; readonly owner: string }[];
  /** Saving it would be refused for a freeze: that says enough. */
  readonly isRefused: boolean;
  /** Keys of the windows that block it, or that it would block. */
  readonly blocked: readonly string[];
}

/** What a person should know of freezes before a window is saved. */
export function freezeWarnings({ overridden, isRefused, blocked }: PreviewedFreezes): readonly string[] {
  if (overridden.length > 0)
    return overridden.map(({ freeze, title, owner }) => `The freeze ${freeze} (${title}) is overridden: ${owner} is told.`);
  if (isRefused) return [];
  return [...new Set(blocked)].map((key) => `It meets ${key}, and a freeze blocks changes.`);
}

/** A change that lies in a freeze without anybody's word; instants in epoch ms. */
export interface UndecidedFreeze {
  readonly window: string;
  readonly localStart: string;
  readonly freeze: string;
  readonly freezeTitle: string;
  readonly freezeOwner: string;
  readonly from: number;
  readonly until: number;
  readonly cause: "calendar" | "zone-data" | null;
}

const causes = {
  calendar: "the calendar that it follows moved it there",
  "zone-data": "newer time zone data moved it or the freeze",
} as const;

/** The same in one sentence, and what somebody has to do. */
export function undecidedFreezeSentence(one: UndecidedFreeze): string {
  const why = one.cause === null ? "" : ` (${causes[one.cause]})`;
  return `The change "${one.window}" at ${one.localStart} lies in the freeze "${one.freeze}" (${one.freezeTitle}) of ${one.freezeOwner} from ${iso(one.from)} until ${iso(one.until)}, and nobody has decided on that${why}. Move or cancel it, or let it stand: quiesce window override-freeze ${one.window} --reason "…"`;
}

const iso = (instant: number): string => new Date(instant).toISOString();
