import { z } from "zod";

/** At most so many hosts of one endpoint, or of a deployment, may be inside. */
const maxPrivateHosts = 100;
const hostPattern = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,62}\.)*[a-z0-9_-]{0,62}|[0-9a-f:.]*:[0-9a-f:.]*)$/;

const privateHostSchema = z
  .string()
  .max(253)
  .transform((host) => canonicalHost(host.trim()))
  .refine((host) => hostPattern.test(host), {
    message: "Expected a host such as erp.example.lan, *.example.lan or 10.1.2.3, without port.",
  });

/** Hosts that may lead into private networks although names that do so are refused. */
export const privateHostsSchema = z
  .array(privateHostSchema)
  .max(maxPrivateHosts)
  .transform((hosts) => [...new Set(hosts)].toSorted());

/** A host as it is compared: lower case, without the brackets of IPv6 and the dot of the root. */
export function canonicalHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
}

/** Whether a list names a host: itself, or with `*.` what lies below a name. */
export function namesHost(hosts: readonly string[], host: string): boolean {
  const wanted = canonicalHost(host);
  return hosts.some((one) => (one.startsWith("*.") ? wanted.endsWith(one.slice(1)) && wanted.length >= one.length : one === wanted));
}
