import type { Output } from "../cli.js";

/** A terminal page that is drawn over and over, and leaves the terminal as it was. */
export interface StatusScreen {
  readonly draw: (lines: readonly string[]) => void;
  readonly close: () => void;
}

// Alternate page, no cursor, no line wrap: a resize in the middle of a frame must not scroll.
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const LEAVE = "\u001b[?7h\u001b[?25h\u001b[?1049l";
/** Terminals that know it show a frame at once; the others ignore it. */
const FRAME_BEGINS = "\u001b[?2026h";
const FRAME_ENDS = "\u001b[?2026l";
const HOME = "\u001b[H";
const REST_OF_LINE = "\u001b[K";
const REST_OF_PAGE = "\u001b[J";

/** Draws over what is there instead of clearing first, in one write, and nothing when nothing changed: so it does not flicker. */
export function openScreen(out: Output): StatusScreen {
  let shown = "";
  let open = true;
  out.write(ENTER);
  return {
    draw: (lines) => {
      const frame = lines.map((line) => `${line}${REST_OF_LINE}`).join("\r\n");
      if (!open || frame === shown) return;
      shown = frame;
      out.write(`${FRAME_BEGINS}${HOME}${frame}${REST_OF_PAGE}${FRAME_ENDS}`);
    },
    close: () => {
      if (!open) return;
      open = false;
      out.write(LEAVE);
    },
  };
}
