// Written by quiesce-documents from the .graphql file beside it.
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
export type KpiScope = {
  readonly integration?: string | null | undefined;
  readonly system?: string | null | undefined;
  readonly tag?: string | null | undefined;
  readonly team?: string | null | undefined;
};

export type SecurityCapReason =
  | 'CREDENTIAL_TWICE_OVER_AGE'
  | 'EXPIRED_CERTIFICATE'
  | 'PLAIN_TEXT_CREDENTIAL';

export type SecurityPart =
  | 'ACCESS_REVIEW'
  | 'CERTIFICATE'
  | 'CREDENTIAL_AGE'
  | 'ENCRYPTED_ENDPOINTS'
  | 'LEAST_PRIVILEGE'
  | 'TLS';

export type IncidentTimesQueryVariables = Exact<{
  from: string;
  to: string;
  system?: string | null | undefined;
  team?: string | null | undefined;
}>;


export type IncidentTimesQuery = { readonly incidentTimes: { readonly incidents: number, readonly acknowledge: { readonly count: number, readonly meanMs: number | null, readonly medianMs: number | null, readonly p90Ms: number | null, readonly censored: number, readonly longestOpenMs: number | null }, readonly resolve: { readonly count: number, readonly meanMs: number | null, readonly medianMs: number | null, readonly p90Ms: number | null, readonly censored: number, readonly longestOpenMs: number | null }, readonly open: ReadonlyArray<{ readonly id: string, readonly key: string, readonly title: string, readonly openedAt: string }> } };

export type TimesTakenFragment = { readonly count: number, readonly meanMs: number | null, readonly medianMs: number | null, readonly p90Ms: number | null, readonly censored: number, readonly longestOpenMs: number | null };

export type SecurityScoreQueryVariables = Exact<{
  scope?: KpiScope | null | undefined;
}>;


export type SecurityScoreQuery = { readonly securityScore: { readonly score: number | null, readonly endpoints: number, readonly parts: ReadonlyArray<{ readonly part: SecurityPart, readonly weight: number, readonly value: number | null, readonly judged: number, readonly bad: number }>, readonly caps: ReadonlyArray<{ readonly reason: SecurityCapReason, readonly most: number }> } };

export const TimesTakenFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"TimesTaken"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TimesTaken"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"count"}},{"kind":"Field","name":{"kind":"Name","value":"meanMs"}},{"kind":"Field","name":{"kind":"Name","value":"medianMs"}},{"kind":"Field","name":{"kind":"Name","value":"p90Ms"}},{"kind":"Field","name":{"kind":"Name","value":"censored"}},{"kind":"Field","name":{"kind":"Name","value":"longestOpenMs"}}]}}]} as unknown as DocumentNode<TimesTakenFragment, unknown>;
export const IncidentTimesDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"IncidentTimes"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"from"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"DateTime"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"to"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"DateTime"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"system"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"team"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"incidentTimes"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"from"},"value":{"kind":"Variable","name":{"kind":"Name","value":"from"}}},{"kind":"Argument","name":{"kind":"Name","value":"to"},"value":{"kind":"Variable","name":{"kind":"Name","value":"to"}}},{"kind":"Argument","name":{"kind":"Name","value":"system"},"value":{"kind":"Variable","name":{"kind":"Name","value":"system"}}},{"kind":"Argument","name":{"kind":"Name","value":"team"},"value":{"kind":"Variable","name":{"kind":"Name","value":"team"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"incidents"}},{"kind":"Field","name":{"kind":"Name","value":"acknowledge"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"TimesTaken"}}]}},{"kind":"Field","name":{"kind":"Name","value":"resolve"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"TimesTaken"}}]}},{"kind":"Field","name":{"kind":"Name","value":"open"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"openedAt"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"TimesTaken"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TimesTaken"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"count"}},{"kind":"Field","name":{"kind":"Name","value":"meanMs"}},{"kind":"Field","name":{"kind":"Name","value":"medianMs"}},{"kind":"Field","name":{"kind":"Name","value":"p90Ms"}},{"kind":"Field","name":{"kind":"Name","value":"censored"}},{"kind":"Field","name":{"kind":"Name","value":"longestOpenMs"}}]}}]} as unknown as DocumentNode<IncidentTimesQuery, IncidentTimesQueryVariables>;
export const SecurityScoreDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"SecurityScore"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"scope"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"KpiScope"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"securityScore"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"scope"},"value":{"kind":"Variable","name":{"kind":"Name","value":"scope"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"score"}},{"kind":"Field","name":{"kind":"Name","value":"endpoints"}},{"kind":"Field","name":{"kind":"Name","value":"parts"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"part"}},{"kind":"Field","name":{"kind":"Name","value":"weight"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"judged"}},{"kind":"Field","name":{"kind":"Name","value":"bad"}}]}},{"kind":"Field","name":{"kind":"Name","value":"caps"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reason"}},{"kind":"Field","name":{"kind":"Name","value":"most"}}]}}]}}]}}]} as unknown as DocumentNode<SecurityScoreQuery, SecurityScoreQueryVariables>;