import { X509Certificate } from "node:crypto";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/;

/** When the certificate in a secret's value ends, in epoch milliseconds; null for a value without one. Of a chain the first counts: it is the client's. */
export function certificateEnd(value: string): number | null {
  const [pem] = CERTIFICATE.exec(value) ?? [];
  if (pem === undefined) return null;
  try {
    const end = Date.parse(new X509Certificate(pem).validTo);
    return Number.isNaN(end) ? null : end;
  } catch {
    // What is no certificate after all is for the connector to refuse.
    return null;
  }
}

/** The earliest of the ends among some values. */
export function firstEnd(values: Iterable<string>, others: readonly (number | null)[] = []): number | null {
  const ends = [...[...values].map(certificateEnd), ...others].filter((end) => end !== null);
  return ends.length === 0 ? null : Math.min(...ends);
}
