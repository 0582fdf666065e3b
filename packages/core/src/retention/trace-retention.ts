/** Days for which it is known what became of each record: at least none, at most 400. */
export const traceRetentionDays = { least: 0, most: 400, usual: 14 } as const;
