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
