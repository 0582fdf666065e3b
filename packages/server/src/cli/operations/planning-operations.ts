import { z } from "zod";
import { operation } from "../graphql-client.js";
import { CONFLICTS_FIELDS, conflictsShape } from "./preview-operations.js";
import { WINDOW_FIELDS, windowShape } from "./shapes.js";

export const approveWindow = operation(
  `mutation ApproveWindow($input: ApproveMaintenanceWindowInput!) { approveMaintenanceWindow(input: $input) { ${WINDOW_FIELDS} } }`,
  z.object({ approveMaintenanceWindow: windowShape }),
);
export const overrideFreeze = operation(
  `mutation OverrideFreeze($input: OverrideFreezeInput!) { overrideFreeze(input: $input) { ${WINDOW_FIELDS} } }`,
  z.object({ overrideFreeze: windowShape }),
);
export const freezeConflicts = operation(
  "query FreezeConflicts { freezeConflicts { window { key } sentence } }",
  z.object({ freezeConflicts: z.array(z.object({ window: z.object({ key: z.string() }), sentence: z.string() })) }),
);
export const rejectWindow = operation(
  `mutation RejectWindow($input: RejectMaintenanceWindowInput!) { rejectMaintenanceWindow(input: $input) { ${WINDOW_FIELDS} } }`,
  z.object({ rejectMaintenanceWindow: windowShape }),
);
export const moveOccurrence = operation(
  `mutation MoveOccurrence($input: MoveOccurrenceInput!) { moveOccurrence(input: $input) { ${WINDOW_FIELDS} } }`,
  z.object({ moveOccurrence: windowShape }),
);
export const restoreOccurrence = operation(
  `mutation RestoreOccurrence($input: RestoreOccurrenceInput!) { restoreOccurrence(input: $input) { ${WINDOW_FIELDS} } }`,
  z.object({ restoreOccurrence: windowShape }),
);
export const splitWindow = operation(
  `mutation SplitWindow($input: SplitMaintenanceWindowInput!) { splitMaintenanceWindow(input: $input) { ${WINDOW_FIELDS} ${CONFLICTS_FIELDS} } }`,
  z.object({ splitMaintenanceWindow: windowShape.extend({ conflicts: conflictsShape }) }),
);
export const updateWindow = operation(
  `mutation UpdateWindow($input: UpdateMaintenanceWindowInput!) { updateMaintenanceWindow(input: $input) { ${WINDOW_FIELDS} ${CONFLICTS_FIELDS} } }`,
  z.object({ updateMaintenanceWindow: windowShape.extend({ conflicts: conflictsShape }) }),
);
