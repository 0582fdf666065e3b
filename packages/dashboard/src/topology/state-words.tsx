import { FormattedMessage } from "react-intl";
import { Status } from "../components/status.js";
import type { SystemState } from "./system-state.js";

/** A system's state by glyph, word and colour. */
export function SystemStatus({ state }: { readonly state: SystemState }) {
  return (
    <Status tone={state.tone}>
      <FormattedMessage id={`topology.word.${state.word}`} />
    </Status>
  );
}
