/** The metric whose samples say whether a service is there: one sample a check. */
export const evidenceMetric = "check";
