import { DomainError } from "@quiesce/core";
import { type DocumentNode, getOperationAST, type GraphQLError, type OperationDefinitionNode, OperationTypeNode } from "graphql";
import type { Authenticated } from "../access/authenticate.js";
import { defaultApiLimits } from "../http/api-limits.js";
import type { TakeCost } from "./account-for-operations.js";
import type { Api } from "./create-yoga.js";
import { operationCost } from "./operation-cost.js";
import type { PersistedDocuments } from "./persisted-documents.js";
import { presentedError, presentGraphqlError } from "./present-error.js";
import type { Log } from "../log.js";
import type { RequestContext } from "./request-context.js";
import { checkVariables } from "./variable-limits.js";

/** What a client asks for, whichever transport it came by. */
export interface OperationParams {
  readonly query?: string | null | undefined;
  readonly documentId?: unknown;
  readonly operationName?: string | null | undefined;
  readonly variables?: { readonly [name: string]: unknown } | null | undefined;
}

/** An operation that was parsed, validated and found within the limits. */
export interface PreparedOperation {
  readonly enveloped: ReturnType<Api["getEnveloped"]>;
  readonly query: string;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: { readonly [name: string]: unknown };
  /** The context of a caller: another one after its token's rights have changed. */
  contextOf(caller: Authenticated): Promise<RequestContext>;
}

/** Everything between a client's words and their execution. Refusals are answered as errors for the client. */
export async function prepareOperation(
  api: Pick<Api, "getEnveloped">,
  input: {
    readonly documents: PersistedDocuments;
    readonly caller: Authenticated;
    readonly params: OperationParams;
    readonly log: Log;
    /** Charges for a subscription, which nothing else executes. */
    readonly takeCost?: TakeCost | undefined;
  },
): Promise<PreparedOperation | readonly GraphQLError[]> {
  const { documents, caller, params, log } = input;
  try {
    checkVariables(params.variables);
    const query = documents.resolve(params);
    const enveloped = api.getEnveloped({ caller });
    const document: DocumentNode = enveloped.parse(query);
    const problems: readonly GraphQLError[] = enveloped.validate(enveloped.schema, document);
    if (problems.length > 0) return problems.map((problem) => presentGraphqlError(problem, log));
    const operation = getOperationAST(document, params.operationName);
    if (operation === null || operation === undefined)
      throw new DomainError("QSC_GRAPHQL_INVALID", "The document has several operations, or none of this name. Say which: operationName.");
    const variables = params.variables ?? {};
    if (operation.operation === OperationTypeNode.SUBSCRIPTION) {
      const context = await api.getEnveloped({ caller }).contextFactory();
      const { limits = defaultApiLimits } = context;
      input.takeCost?.(caller, operationCost({ schema: enveloped.schema, document, operation, variables, context, limits }));
    }
    return {
      enveloped,
      query,
      document,
      operation,
      variables,
      contextOf: async (now) => api.getEnveloped({ caller: now }).contextFactory(),
    };
  } catch (error) {
    return [presentedError(error, log)];
  }
}
