import { isIP, type LookupFunction } from "node:net";
import type { Context } from "@quiesce/sdk";

/**
 * A lookup for sockets that knows one answer: the addresses of a host that were checked. With it a client may be given the host's name, for TLS, and
 * still reaches nothing that was not checked.
 */
export async function checkedLookup(x: Pick<Context, "resolveHost">, host: string): Promise<LookupFunction> {
  const addresses = (await x.resolveHost(host)).map((address) => ({ address, family: isIP(address) }));
  return (_name, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, addresses);
    else callback(first === undefined ? new Error(`${host} has no address`) : null, first?.address ?? "", first?.family);
  };
}
