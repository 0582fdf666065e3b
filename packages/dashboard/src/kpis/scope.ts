/** What figures can be about; nothing: all that somebody may see. */
export const scopeKinds = ["integration", "system", "team", "tag"] as const;
export type ScopeKind = (typeof scopeKinds)[number];

/** One of them, by its key. */
export interface Scope {
  readonly kind: ScopeKind;
  readonly key: string;
}

/** As the API takes it. */
export function scopeInput(scope: Scope | null): { readonly [kind in ScopeKind]?: string } | null {
  return scope === null ? null : { [scope.kind]: scope.key };
}

/** Of the address: the first that is named. */
export function scopeOf(search: { readonly [kind in ScopeKind]?: string }): Scope | null {
  for (const kind of scopeKinds) {
    const key = search[kind];
    if (key !== undefined) return { kind, key };
  }
  return null;
}
