import { useIntl } from "react-intl";
import { Status, type StatusTone } from "../components/status.js";
import type { OccurrenceState } from "./windows.generated.js";

const tones: { readonly [state in OccurrenceState]: StatusTone } = {
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
};

/** The state of an occurrence by glyph, word and colour. */
export function OccurrenceStatus({ state }: { readonly state: OccurrenceState }) {
  const { formatMessage } = useIntl();
  return <Status tone={tones[state]}>{formatMessage({ id: `now.state.${state}` })}</Status>;
}
