import { type CountedAccess, DomainError } from "@quiesce/core";
import { type ExecutionArgs, type ExecutionResult, getOperationAST, type GraphQLError, OperationTypeNode } from "graphql";
import type { Plugin } from "graphql-yoga";
import type { AccessWatch } from "../access/access-watch.js";
import type { Authenticated } from "../access/authenticate.js";
import { defaultApiLimits } from "../http/api-limits.js";
import { operationCost } from "./operation-cost.js";
import type { ApiServices } from "./request-context.js";

/** Charges a caller for an operation before it is executed; throws QSC_HTTP_RATE_LIMITED. */
export type TakeCost = (caller: Authenticated, points: number) => void;

/** Charges queries and mutations before they are executed; subscriptions are charged where they begin. What was refused counts as unusual, if often. */
export function accountForOperations(
  services: Pick<ApiServices, "limits" | "watch"> & { readonly takeCost?: TakeCost | undefined },
): Plugin<{ readonly caller?: Authenticated }> {
  const { takeCost, watch, limits = defaultApiLimits } = services;
  return {
    onExecute: ({ args, context: { caller } }) => {
      const { schema, document, operationName, variableValues, contextValue }: ExecutionArgs = args;
      const operation = getOperationAST(document, operationName);
      if (caller === undefined || operation === null || operation === undefined) return undefined;
      const variables = variableValues ?? {};
      const context: object = typeof contextValue === "object" && contextValue !== null ? contextValue : {};
      takeCost?.(caller, operationCost({ schema, document, operation, variables, context, limits }));
      const isQuery = operation.operation === OperationTypeNode.QUERY;
      return {
        onExecuteDone: ({ result }) => ("data" in result || "errors" in result ? note(watch, caller, { result, isQuery }) : undefined),
      };
    },
    // Over plain HTTP a refusal for its frequency has the status that clients and proxies know.
    onExecutionResult: (payload) => {
      const { result } = payload;
      const errors: readonly GraphQLError[] = result !== undefined && "errors" in result ? (result.errors ?? []) : [];
      const refusal = errors.find(({ extensions }) => extensions["code"] === "QSC_HTTP_RATE_LIMITED");
      if (refusal === undefined) return;
      const details: unknown = refusal.extensions["details"];
      const seconds = typeof details === "object" && details !== null && "retryAfterSeconds" in details ? details.retryAfterSeconds : 1;
      payload.setResult({ errors, extensions: { http: { status: 429, headers: { "retry-after": String(seconds) } } } });
    },
  };
}

/** What a refusal counts as; null: as nothing. */
export function countedAs(code: unknown): CountedAccess | null {
  if (code === "QSC_ACCESS_DENIED") return "access.denials";
  return typeof code === "string" && code.endsWith("_NOT_FOUND") ? "access.searching" : null;
}

/** A thing that is not there is an error or, where a query may answer nothing, null. */
function note(
  watch: AccessWatch | undefined,
  caller: Authenticated,
  { result, isQuery }: { readonly result: ExecutionResult; readonly isQuery: boolean },
): void {
  if (watch === undefined) return;
  const principal = { principalId: caller.principalId, name: caller.principal.name };
  const { errors = [], data } = result;
  for (const error of errors) {
    const kind = countedAs(error.originalError instanceof DomainError ? error.originalError.code : error.extensions["code"]);
    if (kind !== null) watch.counted(principal, kind);
  }
  if (isQuery && errors.length === 0 && data !== null && data !== undefined)
    watch.counted(principal, "access.searching", Object.values(data).filter((value) => value === null).length);
}
