import type { Output } from "../cli.js";

/** A terminal page that is drawn over and over, and leaves the terminal as it was. */
export interface StatusScreen {
  /** `fresh`: nothing that was drawn is trusted, as after a change of the size. */
  readonly draw: (lines: readonly string[], options?: { readonly fresh: boolean }) => void;
  readonly close: () => void;
}

// Alternate page, no cursor, no line wrap: a resize in the middle of a frame must not scroll.
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const LEAVE = "\u001b[?7h\u001b[?25h\u001b[?1049l";
/** Terminals that know it show a frame at once; the others ignore it. */
const FRAME_BEGINS = "\u001b[?2026h";
const FRAME_ENDS = "\u001b[?2026l";
const CLEAR_PAGE = "\u001b[2J";
const CLEAR_LINE = "\u001b[2K";
const lineStart = (row: number): string => `\u001b[${row};1H`;

/** Writes only the lines that changed, in one write: so it does not flicker, and a slow connection carries little. */
export function openScreen(out: Output): StatusScreen {
  let shown: readonly string[] = [];
  let open = true;
  out.write(ENTER);
  return {
    draw: (lines, options) => {
      if (!open) return;
      const fresh = options?.fresh === true || lines.length !== shown.length;
      const changed = lines.flatMap((line, index) =>
        fresh || line !== shown[index] ? [`${lineStart(index + 1)}${CLEAR_LINE}${line}`] : [],
      );
      shown = lines;
      if (changed.length > 0) out.write(`${FRAME_BEGINS}${fresh ? CLEAR_PAGE : ""}${changed.join("")}${FRAME_ENDS}`);
    },
    close: () => {
      if (!open) return;
      open = false;
      out.write(LEAVE);
    },
  };
}
