import { lookup, type LookupAddress } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { canonicalHost, namesHost } from "@quiesce/core";

/** The error code of a refused address. */
export const REFUSED_ADDRESS = "EQSCADDRESS";

/**
 * What an address is, most particular first: the first that fits counts. The IANA registries of special-purpose addresses, the addresses at which clouds
 * give away credentials, and the ways to write an IPv4 address inside an IPv6 one.
 */
const ranges = {
  metadata: [
    "169.254.169.254/32",
    "169.254.170.2/32",
    "169.254.170.23/32",
    "100.100.100.200/32",
    "168.63.129.16/32",
    "192.0.0.192/32",
    "fd00:ec2::/32",
    "fd20:ce::254/128",
  ],
  unspecified: ["0.0.0.0/8", "::/128"],
  loopback: ["127.0.0.0/8", "::1/128"],
  "link-local": ["169.254.0.0/16", "fe80::/10"],
  multicast: ["224.0.0.0/4", "ff00::/8"],
  translated: ["64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::ffff:0:0:0/96", "::/96"],
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10"],
  reserved: [
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "2001:2::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:db8::/32",
    "3fff::/20",
  ],
} as const;

/** The kind of an address; `reserved` is also everything that nobody has given out, and what is no address. */
export type AddressKind = keyof typeof ranges | "public";

/** An operator's word opens these two and no other: behind the rest is no system that records are exchanged with. */
const permittable: ReadonlySet<AddressKind> = new Set(["loopback", "private"]);

const listOf = (subnets: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net = "", bits] = subnet.split("/");
    list.addSubnet(net, Number(bits), isIP(net) === 6 ? "ipv6" : "ipv4");
  }
  return list;
};
// Node counts ::ffff:10.0.0.1 as an address of IPv4 when it looks at subnets of IPv4.
const lists = Object.entries(ranges).map(([kind, subnets]) => ({ kind: kind as keyof typeof ranges, list: listOf(subnets) }));
const mapped = listOf(["::ffff:0:0/96"]);
/** What the registries have given out of IPv6. */
const global = listOf(["2000::/3"]);

/** What an address is. Not a name: that is for a resolver. */
export function classifyAddress(address: string): AddressKind {
  const [bare = ""] = address.split("%");
  const family = isIP(bare);
  if (family === 0) return "reserved";
  const type = family === 6 ? "ipv6" : "ipv4";
  const found = lists.find(({ list }) => list.check(bare, type));
  if (found !== undefined) return found.kind;
  return type === "ipv4" || mapped.check(bare, type) || global.check(bare, type) ? "public" : "reserved";
}

/** Whether a connection to an address may be made: to public ones always, to loopback and private ones where an operator permits it for the host. */
export function isReachable(address: string, options: { readonly privateAllowed: boolean }): boolean {
  const kind = classifyAddress(address);
  return kind === "public" || (options.privateAllowed && permittable.has(kind));
}

/**
 * Whether a host may lead into private networks. An address, or localhost, that an administrator wrote down is its own permission: it can mean
 * nothing else. A name means what its resolver says today, so it has to be listed.
 */
export function mayBePrivate(host: string, privateHosts: readonly string[]): boolean {
  const name = canonicalHost(host);
  return name === "localhost" || isIP(name) !== 0 || namesHost(privateHosts, name);
}

/** Asks for all addresses of a name; `dns.lookup`, apart from tests. */
export type Resolve = (hostname: string, callback: (error: Error | null, found: readonly LookupAddress[]) => void) => void;

export const systemResolve: Resolve = (hostname, callback) => {
  lookup(hostname, { all: true, verbatim: true }, (error, found) => callback(error, found));
};

/** The refusal of a host, with what would permit it. */
export function refusedAddress(host: string, found: readonly string[]): Error {
  const [address = ""] = found;
  const kind = classifyAddress(address);
  const hint = permittable.has(kind)
    ? ` If that is meant, permit it: allowPrivate: [${canonicalHost(host)}] at the endpoint in the workspace, or QUIESCE_ALLOW_PRIVATE_HOSTS for the deployment.`
    : " Such addresses are never reached.";
  const message =
    isIP(canonicalHost(host)) === 0
      ? `The name ${host} leads to ${address}, which is ${words[kind]}.${hint}`
      : `${host} is ${words[kind]}.${hint}`;
  return Object.assign(new Error(message), { code: REFUSED_ADDRESS });
}

const words: { readonly [kind in AddressKind]: string } = {
  metadata: "an address at which clouds give away credentials",
  unspecified: "no address of anybody",
  loopback: "an address of this machine",
  "link-local": "a link-local address",
  multicast: "an address of a group",
  translated: "an address of IPv4 hidden in one of IPv6",
  private: "an address of a private network",
  reserved: "a reserved address",
  public: "a public address",
};

/** A name lookup that gives only reachable addresses, and the connection is made to what was checked. Refuses with the code {@link REFUSED_ADDRESS}. */
export function guardedLookup(options: { readonly privateAllowed: boolean; readonly resolve?: Resolve }): LookupFunction {
  const resolve = options.resolve ?? systemResolve;
  return (hostname, settings, callback) => {
    resolve(hostname, (error, found) => {
      if (error !== null) return callback(error, "", 0);
      const wanted = found.filter(({ family }) => settings.family === undefined || settings.family === 0 || settings.family === family);
      const allowed = wanted.filter(({ address }) => isReachable(address, options));
      const [first] = allowed;
      if (first === undefined)
        return callback(
          refusedAddress(
            hostname,
            wanted.map(({ address }) => address),
          ),
          "",
          0,
        );
      if (settings.all === true) callback(null, [...allowed]);
      else callback(null, first.address, first.family);
    });
  };
}
