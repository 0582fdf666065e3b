// Written by quiesce-documents from the .graphql file beside it.
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
export type BusinessDayEndInput = {
  readonly days: CountedDays;
  readonly ordinal: number;
  readonly period: EndPeriod;
};

export type BusinessDaysInput = {
  readonly ends?: BusinessDayEndInput | null | undefined;
  readonly of: BusinessPeriod;
  readonly ordinals: ReadonlyArray<number>;
  readonly until?: string | null | undefined;
};

export type BusinessPeriod =
  | 'MONTH'
  | 'QUARTER'
  | 'YEAR';

export type ConflictKind =
  | 'CHANGE'
  | 'CREDENTIALS'
  | 'FREEZE'
  | 'MAINTENANCE'
  | 'MANUAL'
  | 'UNREADY';

export type ConflictRelation =
  | 'OVERLAPS'
  | 'TOUCHES';

export type CountedDays =
  | 'BUSINESS'
  | 'CALENDAR';

export type CoverageVia =
  | 'ALL'
  | 'DEPENDENCY'
  | 'INTEGRATION'
  | 'SYSTEM'
  | 'TAG';

export type DrainEnding =
  | 'ABORT'
  | 'LEAVE';

export type DrainPolicyInput = {
  readonly atDeadline?: DrainEnding | null | undefined;
  readonly deadlineMinutes?: number | null | undefined;
  readonly leadLimitMinutes?: number | null | undefined;
};

export type DstPolicy =
  | 'COVER'
  | 'RFC';

export type EndPeriod =
  | 'NEXT'
  | 'SAME';

export type HolidayShift =
  | 'NEXT'
  | 'PREVIOUS'
  | 'SKIP';

export type MaintenanceWindowInput = {
  readonly confirmLong?: boolean | null | undefined;
  readonly drain?: DrainPolicyInput | null | undefined;
  readonly key?: string | null | undefined;
  readonly kind?: WindowKind | null | undefined;
  readonly mode?: Mode | null | undefined;
  readonly overrideFreeze?: string | null | undefined;
  readonly owner: string;
  readonly reason: string;
  readonly resume?: ResumePolicyInput | null | undefined;
  readonly scope: ScopeInput;
  readonly series: WindowSeriesInput;
  readonly title: string;
};

export type Mode =
  | 'ENFORCE'
  | 'OBSERVE';

export type PreviewNoticeKind =
  | 'COVERS_NOTHING'
  | 'FREEZE_MET'
  | 'FREEZE_OVERRIDDEN'
  | 'JOBS_CUT'
  | 'NEEDS_APPROVAL'
  | 'OWNER_UNKNOWN'
  | 'SCOPE_UNKNOWN'
  | 'SOFTLY_AFFECTED';

export type ResumePolicyInput = {
  readonly canaries?: number | null | undefined;
  readonly failureBound?: number | null | undefined;
  readonly maxWaitMinutes?: number | null | undefined;
  readonly readinessCheck?: boolean | null | undefined;
  readonly reconcile?: boolean | null | undefined;
};

export type ScopeInput = {
  readonly all?: boolean | null | undefined;
  readonly integrations?: ReadonlyArray<string> | null | undefined;
  readonly systems?: ReadonlyArray<string> | null | undefined;
  readonly tags?: ReadonlyArray<string> | null | undefined;
};

export type UpdateMaintenanceWindowInput = {
  readonly confirmLong?: boolean | null | undefined;
  readonly drain?: DrainPolicyInput | null | undefined;
  readonly key: string;
  readonly kind?: WindowKind | null | undefined;
  readonly mode?: Mode | null | undefined;
  readonly overrideFreeze?: string | null | undefined;
  readonly owner?: string | null | undefined;
  readonly reason?: string | null | undefined;
  readonly resume?: ResumePolicyInput | null | undefined;
  readonly scope?: ScopeInput | null | undefined;
  readonly series?: WindowSeriesInput | null | undefined;
  readonly seriesChanges?: WindowSeriesChanges | null | undefined;
  readonly title?: string | null | undefined;
};

export type WindowKind =
  | 'CHANGE'
  | 'FREEZE'
  | 'MAINTENANCE';

export type WindowSeriesChanges = {
  readonly businessDays?: BusinessDaysInput | null | undefined;
  readonly calendar?: string | null | undefined;
  readonly dstPolicy?: DstPolicy | null | undefined;
  readonly duration?: string | null | undefined;
  readonly end?: string | null | undefined;
  readonly exdates?: ReadonlyArray<string> | null | undefined;
  readonly holidays?: ReadonlyArray<string> | null | undefined;
  readonly onHoliday?: HolidayShift | null | undefined;
  readonly rdates?: ReadonlyArray<string> | null | undefined;
  readonly rrule?: string | null | undefined;
  readonly start?: string | null | undefined;
  readonly timeZone?: string | null | undefined;
  readonly weekend?: ReadonlyArray<string> | null | undefined;
};

export type WindowSeriesInput = {
  readonly businessDays?: BusinessDaysInput | null | undefined;
  readonly calendar?: string | null | undefined;
  readonly dstPolicy?: DstPolicy | null | undefined;
  readonly duration?: string | null | undefined;
  readonly end?: string | null | undefined;
  readonly exdates?: ReadonlyArray<string> | null | undefined;
  readonly holidays?: ReadonlyArray<string> | null | undefined;
  readonly onHoliday?: HolidayShift | null | undefined;
  readonly rdates?: ReadonlyArray<string> | null | undefined;
  readonly rrule?: string | null | undefined;
  readonly start: string;
  readonly timeZone: string;
  readonly weekend?: ReadonlyArray<string> | null | undefined;
};

export type EditedWindowQueryVariables = Exact<{
  key: string;
}>;


export type EditedWindowQuery = { readonly maintenanceWindow: { readonly id: string, readonly key: string, readonly title: string, readonly kind: WindowKind, readonly mode: Mode, readonly owner: string, readonly reason: string, readonly version: number, readonly scope: { readonly all: boolean, readonly systems: ReadonlyArray<string>, readonly integrations: ReadonlyArray<string>, readonly tags: ReadonlyArray<string> }, readonly drain: { readonly deadlineMinutes: number | null, readonly atDeadline: DrainEnding, readonly leadLimitMinutes: number }, readonly resume: { readonly readinessCheck: boolean, readonly maxWaitMinutes: number, readonly canaries: number, readonly failureBound: number, readonly reconcile: boolean }, readonly series: { readonly start: string, readonly end: string | null, readonly duration: string | null, readonly rrule: string | null, readonly timeZone: string, readonly dstPolicy: DstPolicy, readonly exdates: ReadonlyArray<string>, readonly rdates: ReadonlyArray<string>, readonly calendar: string | null, readonly holidays: ReadonlyArray<string>, readonly onHoliday: HolidayShift | null, readonly weekend: ReadonlyArray<string>, readonly businessDays: { readonly of: BusinessPeriod, readonly ordinals: ReadonlyArray<number>, readonly until: string | null, readonly ends: { readonly days: CountedDays, readonly ordinal: number, readonly period: EndPeriod } | null } | null } } | null };

export type PreviewWindowQueryVariables = Exact<{
  input: MaintenanceWindowInput;
}>;


export type PreviewWindowQuery = { readonly previewMaintenanceWindow: { readonly approvals: ReadonlyArray<string>, readonly unknown: ReadonlyArray<string>, readonly occurrences: ReadonlyArray<{ readonly startsAt: string, readonly endsAt: string, readonly localStart: string, readonly localEnd: string, readonly notes: ReadonlyArray<string> }>, readonly members: ReadonlyArray<{ readonly path: string, readonly integration: { readonly id: string, readonly key: string, readonly name: string } }>, readonly coverage: ReadonlyArray<{ readonly integration: string, readonly paths: ReadonlyArray<{ readonly via: CoverageVia, readonly detail: string }> }>, readonly heldJobs: ReadonlyArray<{ readonly job: string, readonly dueTimes: number, readonly runsAfter: number, readonly skipped: number }>, readonly forecast: { readonly drain: { readonly atLeastMs: number, readonly expectedMs: number | null } } | null, readonly conflicts: { readonly overlaps: number, readonly listed: ReadonlyArray<{ readonly kind: ConflictKind, readonly title: string, readonly with: string, readonly relation: ConflictRelation, readonly blocks: boolean, readonly localStart: string, readonly from: string, readonly until: string | null, readonly integrations: number }> }, readonly refusals: ReadonlyArray<{ readonly code: string, readonly field: string, readonly message: string, readonly nearest: string | null }>, readonly notices: ReadonlyArray<{ readonly kind: PreviewNoticeKind, readonly subject: string | null, readonly names: ReadonlyArray<string> }> } };

export type ScopeNamesQueryVariables = Exact<{
  text: string;
}>;


export type ScopeNamesQuery = { readonly systems: { readonly nodes: ReadonlyArray<{ readonly id: string, readonly key: string, readonly name: string, readonly tags: ReadonlyArray<string> }> }, readonly integrations: { readonly nodes: ReadonlyArray<{ readonly id: string, readonly key: string, readonly name: string, readonly tags: ReadonlyArray<string> }> } };

export type CreateWindowMutationVariables = Exact<{
  input: MaintenanceWindowInput;
}>;


export type CreateWindowMutation = { readonly createMaintenanceWindow: { readonly id: string, readonly key: string, readonly title: string, readonly version: number } };

export type UpdateWindowMutationVariables = Exact<{
  input: UpdateMaintenanceWindowInput;
}>;


export type UpdateWindowMutation = { readonly updateMaintenanceWindow: { readonly id: string, readonly key: string, readonly title: string, readonly kind: WindowKind, readonly mode: Mode, readonly owner: string, readonly reason: string, readonly version: number, readonly scope: { readonly all: boolean, readonly systems: ReadonlyArray<string>, readonly integrations: ReadonlyArray<string>, readonly tags: ReadonlyArray<string> }, readonly series: { readonly start: string, readonly end: string | null, readonly duration: string | null, readonly rrule: string | null, readonly timeZone: string } } };


export const EditedWindowDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"EditedWindow"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"key"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"maintenanceWindow"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"key"},"value":{"kind":"Variable","name":{"kind":"Name","value":"key"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"mode"}},{"kind":"Field","name":{"kind":"Name","value":"owner"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"scope"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"all"}},{"kind":"Field","name":{"kind":"Name","value":"systems"}},{"kind":"Field","name":{"kind":"Name","value":"integrations"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}}]}},{"kind":"Field","name":{"kind":"Name","value":"drain"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"deadlineMinutes"}},{"kind":"Field","name":{"kind":"Name","value":"atDeadline"}},{"kind":"Field","name":{"kind":"Name","value":"leadLimitMinutes"}}]}},{"kind":"Field","name":{"kind":"Name","value":"resume"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"readinessCheck"}},{"kind":"Field","name":{"kind":"Name","value":"maxWaitMinutes"}},{"kind":"Field","name":{"kind":"Name","value":"canaries"}},{"kind":"Field","name":{"kind":"Name","value":"failureBound"}},{"kind":"Field","name":{"kind":"Name","value":"reconcile"}}]}},{"kind":"Field","name":{"kind":"Name","value":"series"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"start"}},{"kind":"Field","name":{"kind":"Name","value":"end"}},{"kind":"Field","name":{"kind":"Name","value":"duration"}},{"kind":"Field","name":{"kind":"Name","value":"rrule"}},{"kind":"Field","name":{"kind":"Name","value":"timeZone"}},{"kind":"Field","name":{"kind":"Name","value":"dstPolicy"}},{"kind":"Field","name":{"kind":"Name","value":"exdates"}},{"kind":"Field","name":{"kind":"Name","value":"rdates"}},{"kind":"Field","name":{"kind":"Name","value":"calendar"}},{"kind":"Field","name":{"kind":"Name","value":"holidays"}},{"kind":"Field","name":{"kind":"Name","value":"onHoliday"}},{"kind":"Field","name":{"kind":"Name","value":"weekend"}},{"kind":"Field","name":{"kind":"Name","value":"businessDays"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"of"}},{"kind":"Field","name":{"kind":"Name","value":"ordinals"}},{"kind":"Field","name":{"kind":"Name","value":"until"}},{"kind":"Field","name":{"kind":"Name","value":"ends"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"days"}},{"kind":"Field","name":{"kind":"Name","value":"ordinal"}},{"kind":"Field","name":{"kind":"Name","value":"period"}}]}}]}}]}}]}}]}}]} as unknown as DocumentNode<EditedWindowQuery, EditedWindowQueryVariables>;
export const PreviewWindowDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"PreviewWindow"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"MaintenanceWindowInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"previewMaintenanceWindow"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"occurrences"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"startsAt"}},{"kind":"Field","name":{"kind":"Name","value":"endsAt"}},{"kind":"Field","name":{"kind":"Name","value":"localStart"}},{"kind":"Field","name":{"kind":"Name","value":"localEnd"}},{"kind":"Field","name":{"kind":"Name","value":"notes"}}]}},{"kind":"Field","name":{"kind":"Name","value":"members"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"path"}},{"kind":"Field","name":{"kind":"Name","value":"integration"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"coverage"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"integration"}},{"kind":"Field","name":{"kind":"Name","value":"paths"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"via"}},{"kind":"Field","name":{"kind":"Name","value":"detail"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"heldJobs"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"job"}},{"kind":"Field","name":{"kind":"Name","value":"dueTimes"}},{"kind":"Field","name":{"kind":"Name","value":"runsAfter"}},{"kind":"Field","name":{"kind":"Name","value":"skipped"}}]}},{"kind":"Field","name":{"kind":"Name","value":"forecast"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"drain"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"atLeastMs"}},{"kind":"Field","name":{"kind":"Name","value":"expectedMs"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"approvals"}},{"kind":"Field","name":{"kind":"Name","value":"conflicts"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"overlaps"}},{"kind":"Field","name":{"kind":"Name","value":"listed"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"with"}},{"kind":"Field","name":{"kind":"Name","value":"relation"}},{"kind":"Field","name":{"kind":"Name","value":"blocks"}},{"kind":"Field","name":{"kind":"Name","value":"localStart"}},{"kind":"Field","name":{"kind":"Name","value":"from"}},{"kind":"Field","name":{"kind":"Name","value":"until"}},{"kind":"Field","name":{"kind":"Name","value":"integrations"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"refusals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"field"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"nearest"}}]}},{"kind":"Field","name":{"kind":"Name","value":"unknown"}},{"kind":"Field","name":{"kind":"Name","value":"notices"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"subject"}},{"kind":"Field","name":{"kind":"Name","value":"names"}}]}}]}}]}}]} as unknown as DocumentNode<PreviewWindowQuery, PreviewWindowQueryVariables>;
export const ScopeNamesDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ScopeNames"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"text"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"systems"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"IntValue","value":"8"}},{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"ObjectValue","fields":[{"kind":"ObjectField","name":{"kind":"Name","value":"search"},"value":{"kind":"Variable","name":{"kind":"Name","value":"text"}}}]}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"integrations"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"IntValue","value":"8"}},{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"ObjectValue","fields":[{"kind":"ObjectField","name":{"kind":"Name","value":"search"},"value":{"kind":"Variable","name":{"kind":"Name","value":"text"}}}]}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}}]}}]}}]}}]} as unknown as DocumentNode<ScopeNamesQuery, ScopeNamesQueryVariables>;
export const CreateWindowDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"CreateWindow"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"MaintenanceWindowInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"createMaintenanceWindow"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"version"}}]}}]}}]} as unknown as DocumentNode<CreateWindowMutation, CreateWindowMutationVariables>;
export const UpdateWindowDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"UpdateWindow"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"UpdateMaintenanceWindowInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"updateMaintenanceWindow"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"mode"}},{"kind":"Field","name":{"kind":"Name","value":"owner"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"scope"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"all"}},{"kind":"Field","name":{"kind":"Name","value":"systems"}},{"kind":"Field","name":{"kind":"Name","value":"integrations"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}}]}},{"kind":"Field","name":{"kind":"Name","value":"series"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"start"}},{"kind":"Field","name":{"kind":"Name","value":"end"}},{"kind":"Field","name":{"kind":"Name","value":"duration"}},{"kind":"Field","name":{"kind":"Name","value":"rrule"}},{"kind":"Field","name":{"kind":"Name","value":"timeZone"}}]}}]}}]}}]} as unknown as DocumentNode<UpdateWindowMutation, UpdateWindowMutationVariables>;