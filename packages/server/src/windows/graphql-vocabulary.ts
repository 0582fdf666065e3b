import { occurrenceStates, type WindowKind, type windowKindEffects, windowKinds } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import type { MemberView } from "./queries.js";

export const ModeEnum = capsEnum("Mode", "Whether holds hold.", ["enforce", "observe"], {
  enforce: "Runs are held.",
  observe: "Nothing is held; what would have been is recorded.",
});
export const WindowKindEnum = capsEnum("WindowKind", "What a window does to those it covers.", windowKinds, {
  maintenance: "Holds everything, mutes alerts, leaves the net availability, is announced.",
  freeze: "Holds integrations that write, blocks changes, nothing else.",
  change: "Holds everything, mutes alerts, is announced; its time counts in the net availability.",
});
export const DstPolicyEnum = capsEnum("DstPolicy", "How an occurrence on the night of a clock change is read.", ["cover", "rfc"], {
  cover: "Everything that either reading of the local times would cover.",
  rfc: "As RFC 5545 reads them.",
});
export const OccurrenceStateEnum = capsEnum(
  "OccurrenceState",
  "Where an occurrence is; it follows from stored facts and the time.",
  occurrenceStates,
  {
    unapproved: "Its window is not approved: it holds nothing, before its start and after.",
    scheduled: "Has not begun.",
    observing: "Has begun and holds nothing: the window, or the whole deployment, only observes.",
    draining: "Has begun: nothing starts any more, but something is still in flight.",
    quiesced: "Nothing is in flight: the crew may begin.",
    verifying: "Its end was reached, and it holds until its systems are ready.",
    overrun: "They are not ready in time, or first runs failed: somebody has to look.",
    resuming: "Released: held runs are being let go.",
    closed: "Over: nothing is held by it any more, and its ramp is over.",
    cancelled: "Will not happen.",
  },
);

/** An integration that a hold, or a window that is only planned, covers. */
export const MemberRef = builder.objectRef<Omit<MemberView, "holdId">>("HoldMember");

const HoldCoverageEnum = capsEnum("HoldCoverage", "What of the covered integrations is held.", ["everything", "writes"], {
  everything: "Every run of them.",
  writes: "Runs of integrations that write to what is covered.",
});
/** The row of the table of kinds. */
export const WindowEffectsRef = builder.objectRef<(typeof windowKindEffects)[WindowKind]>("WindowEffects").implement({
  description: "What a kind of window does, beside holding.",
  fields: (t) => ({
    holds: t.expose("holds", { type: HoldCoverageEnum, description: "What is held." }),
    mutesAlerts: t.exposeBoolean("mutesAlerts", { description: "Alerts of what it covers are suppressed, with the window as the reason." }),
    leavesNetSla: t.exposeBoolean("leavesNetSla", { description: "Its time may leave the net availability, as the agreement allows." }),
    blocksChanges: t.exposeBoolean("blocksChanges", { description: "No change may be planned on what it covers." }),
    changes: t.exposeBoolean("changes", { description: "It is refused inside of what blocks changes." }),
    announces: t.exposeBoolean("announces", { description: "Monitors and owners are told of it." }),
  }),
});
