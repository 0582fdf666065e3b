/** The fingerprint of a threshold's alert at an integration. No monitor's of the same endpoint is likely to be this. */
export function thresholdFingerprint(thresholdKey: string, integrationId: number): string {
  return `quiesce:threshold/${thresholdKey}/${integrationId}`;
}
