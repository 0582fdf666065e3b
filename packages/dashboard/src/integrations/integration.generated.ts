// Written by quiesce-documents from the .graphql file beside it.
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
export type CatchUp =
  | 'ALL'
  | 'COALESCE'
  | 'SKIP';

export type CatchUpOverride =
  | 'ALL'
  | 'COALESCE'
  | 'SKIP';

export type Criticality =
  | 'CRITICAL'
  | 'HIGH'
  | 'LOW'
  | 'MEDIUM';

export type HoldKind =
  | 'CREDENTIALS'
  | 'MANUAL'
  | 'UNREADY'
  | 'WINDOW';

export type JobState =
  | 'BLOCKED'
  | 'DISABLED'
  | 'HELD'
  | 'IDLE'
  | 'RUNNING'
  | 'WAITING';

export type OccurrenceState =
  | 'CANCELLED'
  | 'CLOSED'
  | 'DRAINING'
  | 'OBSERVING'
  | 'OVERRUN'
  | 'QUIESCED'
  | 'RESUMING'
  | 'SCHEDULED'
  | 'UNAPPROVED'
  | 'VERIFYING';

export type PauseInput = {
  readonly reason: string;
  readonly scope: ScopeInput;
  readonly until?: string | null | undefined;
};

export type ResumeInput = {
  readonly catchUp?: CatchUpOverride | null | undefined;
  readonly confirmAll?: boolean | null | undefined;
  readonly holdId?: string | number | null | undefined;
  readonly reason: string;
  readonly scope?: ScopeInput | null | undefined;
};

export type RouteRole =
  | 'SOURCE'
  | 'TARGET'
  | 'VIA';

export type RunNowInput = {
  readonly confirmDeletions?: boolean | null | undefined;
  readonly job: string;
  readonly reason: string;
};

export type RunState =
  | 'CANCELLED'
  | 'COALESCED'
  | 'DEAD'
  | 'FAILED'
  | 'HELD'
  | 'LOST'
  | 'QUEUED'
  | 'RUNNING'
  | 'SKIPPED'
  | 'SUCCEEDED';

export type ScopeInput = {
  readonly all?: boolean | null | undefined;
  readonly integrations?: ReadonlyArray<string> | null | undefined;
  readonly systems?: ReadonlyArray<string> | null | undefined;
  readonly tags?: ReadonlyArray<string> | null | undefined;
};

export type IntegrationPageQueryVariables = Exact<{
  key: string;
}>;


export type IntegrationPageQuery = { readonly integration: { readonly id: string, readonly key: string, readonly name: string, readonly description: string | null, readonly ownerTeam: string | null, readonly vendor: string | null, readonly criticality: Criticality, readonly environment: string | null, readonly tags: ReadonlyArray<string>, readonly playbookUrl: string | null, readonly version: number | null, readonly streams: unknown, readonly systems: ReadonlyArray<{ readonly role: RouteRole, readonly system: { readonly id: string, readonly key: string, readonly name: string } }>, readonly sourceEndpoint: { readonly id: string, readonly key: string } | null, readonly targetEndpoint: { readonly id: string, readonly key: string } | null, readonly gate: { readonly by: ReadonlyArray<{ readonly holdId: string, readonly kind: HoldKind, readonly title: string, readonly windowKey: string | null, readonly owner: string, readonly reason: string, readonly path: string, readonly since: string, readonly until: string | null }> }, readonly holds: ReadonlyArray<{ readonly id: string, readonly key: string, readonly occurrence: { readonly id: string, readonly key: string, readonly state: OccurrenceState, readonly endsAt: string, readonly timeZone: string } | null }>, readonly lastRun: { readonly id: string, readonly key: string, readonly state: RunState, readonly startedAt: string | null, readonly finishedAt: string | null, readonly error: unknown } | null, readonly jobs: ReadonlyArray<{ readonly id: string, readonly key: string, readonly name: string, readonly enabled: boolean, readonly catchUp: CatchUp, readonly schedule: unknown, readonly nextDueAt: string | null, readonly p95Ms: number | null, readonly push: boolean, readonly reconcile: boolean }> } | null };

export type ExplainJobQueryVariables = Exact<{
  job: string;
}>;


export type ExplainJobQuery = { readonly explain: { readonly asOf: string, readonly state: JobState, readonly nextDueAt: string | null, readonly facts: unknown, readonly job: { readonly id: string, readonly key: string } } };

export type RunNowMutationVariables = Exact<{
  input: RunNowInput;
}>;


export type RunNowMutation = { readonly runNow: { readonly id: string, readonly key: string, readonly state: RunState } };

export type PauseIntegrationMutationVariables = Exact<{
  input: PauseInput;
}>;


export type PauseIntegrationMutation = { readonly pause: { readonly id: string, readonly key: string } };

export type LiftHoldMutationVariables = Exact<{
  input: ResumeInput;
}>;


export type LiftHoldMutation = { readonly resume: { readonly released: ReadonlyArray<{ readonly id: string, readonly key: string }> } };


export const IntegrationPageDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"IntegrationPage"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"key"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"integration"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"key"},"value":{"kind":"Variable","name":{"kind":"Name","value":"key"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"description"}},{"kind":"Field","name":{"kind":"Name","value":"ownerTeam"}},{"kind":"Field","name":{"kind":"Name","value":"vendor"}},{"kind":"Field","name":{"kind":"Name","value":"criticality"}},{"kind":"Field","name":{"kind":"Name","value":"environment"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}},{"kind":"Field","name":{"kind":"Name","value":"playbookUrl"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"streams"}},{"kind":"Field","name":{"kind":"Name","value":"systems"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"role"}},{"kind":"Field","name":{"kind":"Name","value":"system"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"sourceEndpoint"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}}]}},{"kind":"Field","name":{"kind":"Name","value":"targetEndpoint"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}}]}},{"kind":"Field","name":{"kind":"Name","value":"gate"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"by"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"holdId"}},{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"windowKey"}},{"kind":"Field","name":{"kind":"Name","value":"owner"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}},{"kind":"Field","name":{"kind":"Name","value":"path"}},{"kind":"Field","name":{"kind":"Name","value":"since"}},{"kind":"Field","name":{"kind":"Name","value":"until"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"holds"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"occurrence"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"state"}},{"kind":"Field","name":{"kind":"Name","value":"endsAt"}},{"kind":"Field","name":{"kind":"Name","value":"timeZone"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"lastRun"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"state"}},{"kind":"Field","name":{"kind":"Name","value":"startedAt"}},{"kind":"Field","name":{"kind":"Name","value":"finishedAt"}},{"kind":"Field","name":{"kind":"Name","value":"error"}}]}},{"kind":"Field","name":{"kind":"Name","value":"jobs"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"enabled"}},{"kind":"Field","name":{"kind":"Name","value":"catchUp"}},{"kind":"Field","name":{"kind":"Name","value":"schedule"}},{"kind":"Field","name":{"kind":"Name","value":"nextDueAt"}},{"kind":"Field","name":{"kind":"Name","value":"p95Ms"}},{"kind":"Field","name":{"kind":"Name","value":"push"}},{"kind":"Field","name":{"kind":"Name","value":"reconcile"}}]}}]}}]}}]} as unknown as DocumentNode<IntegrationPageQuery, IntegrationPageQueryVariables>;
export const ExplainJobDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ExplainJob"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"job"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"explain"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"job"},"value":{"kind":"Variable","name":{"kind":"Name","value":"job"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"asOf"}},{"kind":"Field","name":{"kind":"Name","value":"state"}},{"kind":"Field","name":{"kind":"Name","value":"nextDueAt"}},{"kind":"Field","name":{"kind":"Name","value":"facts"}},{"kind":"Field","name":{"kind":"Name","value":"job"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}}]}}]}}]}}]} as unknown as DocumentNode<ExplainJobQuery, ExplainJobQueryVariables>;
export const RunNowDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"RunNow"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"RunNowInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"runNow"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"state"}}]}}]}}]} as unknown as DocumentNode<RunNowMutation, RunNowMutationVariables>;
export const PauseIntegrationDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"PauseIntegration"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"PauseInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"pause"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}}]}}]}}]} as unknown as DocumentNode<PauseIntegrationMutation, PauseIntegrationMutationVariables>;
export const LiftHoldDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"LiftHold"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ResumeInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"resume"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"released"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}}]}}]}}]}}]} as unknown as DocumentNode<LiftHoldMutation, LiftHoldMutationVariables>;