const DAY_MS = 86_400_000;
/** What nobody looked at for so long is no evidence. */
const evidenceMs = 7 * DAY_MS;
/** Where nothing else was agreed a credential is renewed so often. */
const usualCredentialMs = 90 * DAY_MS;
/** A certificate that lasts so long is as good as any. */
const certificateMs = 30 * DAY_MS;
/** A review of access counts in full for so long, and for nothing after twice that. */
const reviewMs = 90 * DAY_MS;

/** What each part is worth, of 100. */
export const securityWeights = {
  "credential-age": 25,
  tls: 20,
  certificate: 15,
  "access-review": 15,
  "least-privilege": 15,
  "encrypted-endpoints": 10,
} as const;
export type SecurityPart = keyof typeof securityWeights;
export const securityParts = Object.keys(securityWeights).filter((part): part is SecurityPart => Object.hasOwn(securityWeights, part));

/** What is known of one endpoint. */
export interface EndpointSecurity {
  /** Since when its secrets are in force, and how often they are to be renewed; null: it has none. */
  readonly credential: { readonly since: number; readonly everyMs: number | null } | null;
  /** It is reached over HTTP: only then its way is looked at. */
  readonly isWeb: boolean;
  /** What the last check of its way found; null: none was made. */
  readonly way: {
    readonly checkedAt: number;
    /** When the first of its certificates ends; null: it has none. */
    readonly certificateEndsAt: number | null;
    /** An old protocol, a certificate that is not trusted or of another name. */
    readonly hasBadTls: boolean;
    readonly isPlainText: boolean;
  } | null;
}

/** What is known of who may do what. */
export interface AccessSecurity {
  /** When the last review was closed; null: never. */
  readonly reviewedAt: number | null;
  /** How many grants it looked at, and how many of them stayed wider than what was used. */
  readonly reviewed: number;
  readonly leftWide: number;
}

export interface SecurityScore {
  /** 0 to 100; null: there is nothing to judge. */
  readonly score: number | null;
  readonly parts: readonly {
    readonly part: SecurityPart;
    readonly weight: number;
    /** 0 to 1; null: nothing here can have it, and its weight falls to the others. */
    readonly value: number | null;
    /** How many things were judged, and how many of them are not well. */
    readonly judged: number;
    readonly bad: number;
  }[];
  /** What holds the score down whatever else is well. */
  readonly caps: readonly {
    readonly reason: "expired-certificate" | "plain-text-credential" | "credential-twice-over-age";
    readonly most: 49 | 69;
  }[];
}

/**
 * How well access to systems is kept, out of facts of endpoints and of reviews. What should be known and was not looked at for seven days scores 0, as if it were
 * bad; what cannot be had, as a certificate of a folder, is left out and its weight falls to the others.
 */
export function securityScore(endpoints: readonly EndpointSecurity[], access: AccessSecurity, now: number): SecurityScore {
  const values: { readonly [part in SecurityPart]: readonly number[] } = {
    "credential-age": endpoints.flatMap(({ credential }) => (credential === null ? [] : [ageValue(credential, now)])),
    tls: wayValues(endpoints, now, (way) => (way.certificateEndsAt === null ? null : way.hasBadTls ? 0 : 1)),
    certificate: wayValues(endpoints, now, ({ certificateEndsAt: ends }) => (ends === null ? null : within((ends - now) / certificateMs))),
    "access-review": [access.reviewedAt === null ? 0 : within(2 - (now - access.reviewedAt) / reviewMs)],
    "least-privilege": [leastPrivilege(access, now)],
    "encrypted-endpoints": wayValues(endpoints, now, ({ isPlainText }) => (isPlainText ? 0 : 1)),
  };
  const parts = securityParts.map((part) => {
    const list = values[part];
    const value = list.length === 0 ? null : list.reduce((sum, one) => sum + one, 0) / list.length;
    return { part, weight: securityWeights[part], value, judged: list.length, bad: list.filter((one) => one < 1).length };
  });
  if (endpoints.length === 0) return { score: null, parts, caps: [] };
  const known = parts.filter(({ value }) => value !== null);
  const weight = known.reduce((sum, one) => sum + one.weight, 0);
  const plain = (known.reduce((sum, one) => sum + one.weight * (one.value ?? 0), 0) / weight) * 100;
  const caps = capsOf(endpoints, now);
  return { score: Math.min(plain, ...caps.map(({ most }) => most)), parts, caps };
}

/** 1 until it is to be renewed, 0 at twice that. */
function ageValue({ since, everyMs }: { readonly since: number; readonly everyMs: number | null }, now: number): number {
  return within(2 - (now - since) / (everyMs ?? usualCredentialMs));
}

/** Of those that are reached over HTTP; null: there is nothing of the kind there. Without evidence 0. */
function wayValues(
  endpoints: readonly EndpointSecurity[],
  now: number,
  of: (way: NonNullable<EndpointSecurity["way"]>) => number | null,
): readonly number[] {
  return endpoints.flatMap(({ isWeb, way }) => {
    if (!isWeb) return [];
    if (way === null || now - way.checkedAt > evidenceMs) return [0];
    const value = of(way);
    return value === null ? [] : [value];
  });
}

function leastPrivilege({ reviewedAt, reviewed, leftWide }: AccessSecurity, now: number): number {
  if (reviewedAt === null || now - reviewedAt > 2 * reviewMs) return 0;
  return reviewed === 0 ? 1 : (reviewed - leftWide) / reviewed;
}

function capsOf(endpoints: readonly EndpointSecurity[], now: number): SecurityScore["caps"] {
  const some = (test: (one: EndpointSecurity) => boolean): boolean => endpoints.some(test);
  return [
    ...(some(({ way }) => way !== null && way.certificateEndsAt !== null && way.certificateEndsAt <= now)
      ? [{ reason: "expired-certificate" as const, most: 49 as const }]
      : []),
    ...(some(({ way, credential }) => way?.isPlainText === true && credential !== null)
      ? [{ reason: "plain-text-credential" as const, most: 49 as const }]
      : []),
    ...(some(({ credential }) => credential !== null && now - credential.since >= 2 * (credential.everyMs ?? usualCredentialMs))
      ? [{ reason: "credential-twice-over-age" as const, most: 69 as const }]
      : []),
  ];
}

const within = (value: number): number => Math.max(0, Math.min(1, value));
