import { occurrenceStates } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import type { MemberView } from "./queries.js";

export const ModeEnum = capsEnum("Mode", "Whether holds hold.", ["enforce", "observe"], {
  enforce: "Runs are held.",
  observe: "Nothing is held; what would have been is recorded.",
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
    scheduled: "Has not begun.",
    observing: "Has begun and holds nothing: the window, or the whole deployment, only observes.",
    draining: "Has begun: nothing starts any more, but something is still in flight.",
    quiesced: "Nothing is in flight: the crew may begin.",
    resuming: "Released: held runs are being let go.",
    closed: "Over, and nothing is held by it any more.",
    cancelled: "Will not happen.",
  },
);

/** An integration that a hold, or a window that is only planned, covers. */
export const MemberRef = builder.objectRef<Omit<MemberView, "holdId">>("HoldMember");
