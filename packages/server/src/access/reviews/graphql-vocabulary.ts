import { accessDecisions, accessFindings, accessSubjects } from "@quiesce/core";
import { capsEnum } from "../../graphql/caps-enum.js";
import { reviewOutcomes } from "./apply-decision.js";

export const SubjectEnum = capsEnum("AccessSubject", "Whose access is reviewed.", accessSubjects, {
  person: "A person's, as sessions have it.",
  service: "A service account's: whether there should be one. Its tokens have the grants.",
  token: "A token's.",
});
export const DecisionEnum = capsEnum("AccessDecision", "What becomes of an access when its review is closed.", accessDecisions, {
  keep: "It stays.",
  narrow: "Less is left of it.",
  revoke: "The token is ended, the account disabled.",
});
export const UndecidedEnum = capsEnum("UndecidedAccess", "What becomes of what nobody has decided on.", ["keep", "revoke"], {
  keep: "It stays.",
  revoke: "The token is ended, the account disabled.",
});
export const OutcomeEnum = capsEnum("AccessOutcome", "What became of a decision.", reviewOutcomes, {
  kept: "Nothing changed.",
  narrowed: "Less is left.",
  revoked: "It was ended.",
  gone: "There was nothing left to take.",
  changed: "The grants are others than were looked at, and stay as they are: look again.",
});
export const FindingEnum = capsEnum("AccessFinding", "What speaks against an access.", accessFindings, {
  "never-used": "Never used, a week after it was made.",
  unused: "Not used for the days of the review.",
  excessive: "It may do more than it has used.",
  "too-early": "Its use has not been recorded for long enough to say whether it may do more than it needs.",
  "no-owner": "Nobody is named who answers for the service account.",
  "owner-unknown": "Whoever answers for it is neither a team nor an account.",
  "owner-disabled": "Whoever answers for it is disabled.",
  "no-expiry": "The token never ends by itself.",
  "disabled-with-tokens": "The account is disabled, and tokens of it would be let in again when it is enabled.",
});
