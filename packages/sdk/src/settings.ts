/** Where a setting is wrong, and how. `path` is dotted, empty for the whole object. */
export interface SettingsIssue {
  readonly path: string;
  readonly message: string;
}

/**
 * What the host knows of a connector's schema: only the Standard Schema interface, so that host and plugin may hold different
 * copies or versions of zod. See https://standardschema.dev.
 */
export interface SettingsSchema<T = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<T> | Promise<StandardResult<T>>;
  };
}

type StandardResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

/** Settings that were parsed, or what is wrong with them. */
export type ParsedSettings<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly SettingsIssue[] };

/** Parses configuration or secrets with the connector's own schema. The messages name paths, never values. */
export async function parseSettings<T>(schema: SettingsSchema<T>, value: unknown): Promise<ParsedSettings<T>> {
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return { ok: true, value: result.value };
  const issues = result.issues.map((issue) => ({
    path: (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join("."),
    message: issue.message,
  }));
  return { ok: false, issues };
}
