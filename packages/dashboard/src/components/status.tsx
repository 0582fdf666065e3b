import type { ReactNode } from "react";

/** The states that have a colour; everything else is grey. */
export type StatusTone = "failing" | "quiesced" | "held" | "resuming" | "running" | "quiet";

const glyphs: { readonly [tone in StatusTone]: string } = {
  failing: "▲",
  quiesced: "●",
  held: "⏸\uFE0E",
  resuming: "▸",
  running: "◌",
  quiet: "○",
};

/** A state by glyph, word and colour: never by colour alone. */
export function Status({ tone, children }: { readonly tone: StatusTone; readonly children: ReactNode }) {
  return (
    <span className={`status status-${tone}`}>
      <StatusGlyph tone={tone} />
      {children}
    </span>
  );
}

export function StatusGlyph({ tone }: { readonly tone: StatusTone }) {
  return (
    <span className={`glyph glyph-${tone}`} aria-hidden="true">
      {glyphs[tone]}
    </span>
  );
}
