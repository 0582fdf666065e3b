import type { IncomingMessage } from "node:http";
import { BlockList, isIP, type Socket } from "node:net";

/** Where requests come from, also behind proxies. */
export interface ClientAddresses {
  /** The client's address; that of the connection unless a trusted proxy says more. */
  readonly of: (request: IncomingMessage) => string;
  /** What is counted together: an IPv4 address, or the /64 of an IPv6 one, which is what one customer is given. */
  readonly group: (request: IncomingMessage) => string;
  /** Whether the client spoke https to the outermost trusted proxy. */
  readonly isHttps: (request: IncomingMessage) => boolean;
}

/** Proxies in a row that are looked at. */
const MAX_HOPS = 10;

/** An address or a subnet in CIDR form, such as 10.0.0.0/8 or fd00::/8; what trusted proxies are named by. */
export function isSubnet(text: string): boolean {
  const [net = "", bits, ...more] = text.split("/");
  const family = isIP(net);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/**
 * Reads X-Forwarded-For from the right, and only what trusted proxies wrote: each entry was added by the hop behind it, and the first one that nobody
 * who is trusted vouches for is the client. What stands further left anybody can have written.
 */
export function createClientAddresses(trustedProxies: readonly string[]): ClientAddresses {
  const trusted = new BlockList();
  for (const subnet of trustedProxies) {
    const [net = "", bits] = subnet.split("/");
    const family = isIP(net) === 6 ? "ipv6" : "ipv4";
    trusted.addSubnet(net, Number(bits ?? (family === "ipv6" ? 128 : 32)), family);
  }
  const isTrusted = (address: string): boolean => {
    const family = isIP(address);
    return family !== 0 && trusted.check(address, family === 6 ? "ipv6" : "ipv4");
  };
  /** A connection keeps its address, and many requests come on one. */
  const known = new WeakMap<Socket, string>();
  const peerOf = ({ socket }: IncomingMessage): string => {
    const before = known.get(socket);
    if (before !== undefined) return before;
    const peer = plainAddress(socket.remoteAddress ?? "") ?? "";
    // A socket that is gone has none any more; what it had is not to be forgotten for that.
    if (peer !== "") known.set(socket, peer);
    return peer;
  };
  const of = (request: IncomingMessage): string => {
    let client = peerOf(request);
    if (trustedProxies.length === 0 || !isTrusted(client)) return client;
    const hops = textOf(request, "x-forwarded-for").split(",").slice(-MAX_HOPS).toReversed();
    for (const hop of hops) {
      const address = plainAddress(hop.trim());
      if (address === null) break;
      client = address;
      if (!isTrusted(client)) break;
    }
    return client;
  };
  return {
    of,
    group: (request) => groupOf(of(request)),
    isHttps: (request) =>
      trustedProxies.length > 0 &&
      isTrusted(peerOf(request)) &&
      textOf(request, "x-forwarded-proto").split(",").at(-1)?.trim().toLowerCase() === "https",
  };
}

/** Several headers of one name are one list, in their order. */
function textOf(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(",") : (value ?? "");
}

/** An address without port, brackets and zone; an IPv4 one in its IPv6 form as itself; null for anything else. */
function plainAddress(text: string): string | null {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? (/^[\d.]+:\d+$/.test(text) ? text.slice(0, text.lastIndexOf(":")) : text);
  const [address = ""] = bare.split("%");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  return isIP(mapped) === 0 ? null : mapped.toLowerCase();
}

/** The address itself, or the /64 of an IPv6 one. */
export function groupOf(address: string): string {
  return isIP(address) === 6 ? `${networkOf(address, 4)}/64` : address;
}

/** What a person's connection keeps when it gets another address: the /24 of an IPv4 address, the /48 of an IPv6 one. Empty for no address. */
export function homeNetworkOf(address: string): string {
  const family = isIP(address);
  if (family === 4) return `${address.split(".").slice(0, 3).join(".")}.0/24`;
  return family === 6 ? `${networkOf(address, 3)}/48` : "";
}

/** The first groups of 16 bits of an IPv6 address, the rest zero. */
function networkOf(address: string, groups: number): string {
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  // A last part in IPv4 form stands for two groups.
  const after = tail === undefined || tail === "" ? [] : tail.split(":").flatMap((part) => (part.includes(".") ? [part, ""] : [part]));
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  const all = [...before, ...Array.from({ length: Math.max(0, missing) }, () => "0"), ...after];
  return `${all
    .slice(0, groups)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::`;
}
