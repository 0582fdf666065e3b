import { lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** The error code of a refused address. */
export const REFUSED_ADDRESS = "EQSCADDRESS";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Nobody's API lives here: link-local (cloud metadata), multicast, "this network", and the ways around these. */
const never = new BlockList();
never.addSubnet("0.0.0.0", 8, "ipv4");
never.addSubnet("169.254.0.0", 16, "ipv4");
never.addSubnet("224.0.0.0", 3, "ipv4");
never.addAddress("::", "ipv6");
never.addSubnet("fe80::", 10, "ipv6");
never.addSubnet("ff00::", 8, "ipv6");
never.addSubnet("64:ff9b::", 96, "ipv6");
never.addAddress("fd00:ec2::254", "ipv6");

/** True for localhost and literal loopback addresses. Such a host was written into the endpoint's configuration on purpose. */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  return host === "localhost" || (isIP(host) !== 0 && isDeniedBy(loopback, host));
}

/** Whether connections to an address are refused. Loopback is, unless the configured host itself is loopback. */
export function isDeniedAddress(address: string, options: { readonly loopbackAllowed: boolean }): boolean {
  return isDeniedBy(never, address) || (!options.loopbackAllowed && isDeniedBy(loopback, address));
}

/** A name lookup that gives only allowed addresses, and the connection is made to what was checked. Refuses with the code {@link REFUSED_ADDRESS}. */
export function guardedLookup(options: { readonly loopbackAllowed: boolean }): LookupFunction {
  return (hostname, settings, callback) => {
    lookup(hostname, { ...settings, all: true }, (error, found) => {
      if (error !== null) return callback(error, "", 0);
      const allowed = found.filter((one) => !isDeniedAddress(one.address, options));
      const [first] = allowed;
      if (first === undefined) {
        const refusal = Object.assign(new Error(`The name ${hostname} leads to an address that connectors may not reach.`), {
          code: REFUSED_ADDRESS,
        });
        return callback(refusal, "", 0);
      }
      if (settings.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

function isDeniedBy(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}
