/** What a person should look at before a window is saved. */
export const previewNoticeKinds = [
  "needs-approval",
  "owner-unknown",
  "scope-unknown",
  "freeze-overridden",
  "freeze-met",
  "jobs-cut",
  "covers-nothing",
  "softly-affected",
] as const;
export type PreviewNoticeKind = (typeof previewNoticeKinds)[number];

/** One of them: in words, and as the names that the words are made of. */
export interface PreviewNotice {
  readonly kind: PreviewNoticeKind;
  /** The policy, the owner, the name in the scope, the freeze, the window or the integration that it is about; null: the window as a whole. */
  readonly subject: string | null;
  /** Who may approve; which owners are known; who is told of an overridden freeze; by which way an integration feels it. */
  readonly names: readonly string[];
  readonly message: string;
}

/** What of a preview there is something to say about. */
export interface PreviewedPlan {
  readonly approvals: readonly { readonly policy: string; readonly by: readonly string[] }[];
  readonly unknownOwner: { readonly owner: string; readonly known: readonly string[] } | null;
  /** Names in the scope that the catalogue does not know: "system erp". */
  readonly unknown: readonly string[];
  /** Freezes that a reason was given for. */
  readonly overriddenFreezes: readonly { readonly freeze: string; readonly title: string; readonly owner: string }[];
  /** Saving it would be refused for a freeze: that says enough. */
  readonly isRefusedByFreeze: boolean;
  /** Keys of the windows that block it, or that it would block. */
  readonly blocked: readonly string[];
  /** It holds more jobs than are counted. */
  readonly hasMoreJobs: boolean;
  readonly coveredCount: number;
  readonly affected: readonly { readonly integration: string; readonly path: string }[];
}

const MAX_NAMED_OWNERS = 10;

/** What a person should know before a window is saved, what stops it first. What refuses it is said by its refusals. */
export function previewNotices(plan: PreviewedPlan): readonly PreviewNotice[] {
  return [
    ...plan.approvals.map(({ policy, by }): PreviewNotice => {
      const who = by.length === 0 ? "somebody who may approve" : by.join(" or ");
      return {
        kind: "needs-approval",
        subject: policy,
        names: by,
        message: `It will hold nothing until it is approved: the policy ${policy} wants the word of ${who}.`,
      };
    }),
    ...ownerNotices(plan),
    ...plan.unknown.map((name): PreviewNotice => ({
      kind: "scope-unknown",
      subject: name,
      names: [],
      message: `The scope names ${name}, which is not in the catalogue.`,
    })),
    ...freezeNotices(plan),
    ...(plan.hasMoreJobs ? [ofWindow("jobs-cut", "It covers more than 1,000 jobs; only these are counted here.")] : []),
    ...(plan.coveredCount === 0 ? [ofWindow("covers-nothing", "It would cover no integration.")] : []),
    ...plan.affected.map(({ integration, path }): PreviewNotice => ({
      kind: "softly-affected",
      subject: integration,
      names: [path],
      message: `${integration} keeps running and may feel it: ${path}.`,
    })),
  ];
}

function ownerNotices({ unknownOwner }: PreviewedPlan): readonly PreviewNotice[] {
  if (unknownOwner === null) return [];
  const names = unknownOwner.known.slice(0, MAX_NAMED_OWNERS);
  const message = `The owner ${unknownOwner.owner} is no team of the catalogue. Known: ${names.join(", ")}.`;
  return [{ kind: "owner-unknown", subject: unknownOwner.owner, names, message }];
}

function freezeNotices({ overriddenFreezes, isRefusedByFreeze, blocked }: PreviewedPlan): readonly PreviewNotice[] {
  if (overriddenFreezes.length > 0)
    return overriddenFreezes.map(({ freeze, title, owner }) => ({
      kind: "freeze-overridden",
      subject: freeze,
      names: [owner],
      message: `The freeze ${freeze} (${title}) is overridden: ${owner} is told.`,
    }));
  if (isRefusedByFreeze) return [];
  return [...new Set(blocked)].map((key) => ({
    kind: "freeze-met",
    subject: key,
    names: [],
    message: `It meets ${key}, and a freeze blocks changes.`,
  }));
}

const ofWindow = (kind: PreviewNoticeKind, message: string): PreviewNotice => ({ kind, subject: null, names: [], message });
