import { useIntl } from "react-intl";
import { Status, type StatusTone } from "../components/status.js";
import type { OccurrenceState } from "./windows.generated.js";

/** The colour and glyph of each state. */
export const occurrenceTones = {
  SCHEDULED: "quiet",
  DRAINING: "held",
  QUIESCED: "quiesced",
  VERIFYING: "held",
  OVERRUN: "failing",
  RESUMING: "resuming",
  CLOSED: "quiet",
  OBSERVING: "running",
  UNAPPROVED: "held",
  CANCELLED: "quiet",
} as const satisfies { readonly [state in OccurrenceState]: StatusTone };

export const occurrenceStates: readonly OccurrenceState[] = [
  "SCHEDULED",
  "DRAINING",
  "QUIESCED",
  "VERIFYING",
  "OVERRUN",
  "RESUMING",
  "CLOSED",
  "OBSERVING",
  "UNAPPROVED",
  "CANCELLED",
];

/** The state of an occurrence by glyph, word and colour. */
export function OccurrenceStatus({ state }: { readonly state: OccurrenceState }) {
  const { formatMessage } = useIntl();
  return <Status tone={occurrenceTones[state]}>{formatMessage({ id: `now.state.${state}` })}</Status>;
}
