import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { createClientAddresses, groupOf, homeNetworkOf, isSubnet } from "./client-address.js";

const PROXIES = ["10.0.0.0/8", "fd00::/8", "192.0.2.7"];
const request = (remoteAddress: string, headers: Record<string, string> = {}) =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage;
const of = (remoteAddress: string, forwarded: string, proxies: readonly string[] = PROXIES) =>
  createClientAddresses(proxies).of(request(remoteAddress, { "x-forwarded-for": forwarded }));

describe("the client's address", () => {
  it("is the connection's when no proxy is trusted, or this one is not", () => {
    expect(of("203.0.113.9", "198.51.100.1", [])).toBe("203.0.113.9");
    expect(of("203.0.113.9", "198.51.100.1")).toBe("203.0.113.9");
  });

  it("is the first from the right that no trusted proxy is", () => {
    expect(of("10.0.0.1", "198.51.100.1")).toBe("198.51.100.1");
    expect(of("10.0.0.1", "198.51.100.1, 10.2.3.4")).toBe("198.51.100.1");
    expect(of("::ffff:10.0.0.1", "2001:DB8::1, fd00::2")).toBe("2001:db8::1");
  });

  it("is never what the client wrote itself, further left", () => {
    expect(of("10.0.0.1", "127.0.0.1, 198.51.100.1")).toBe("198.51.100.1");
    expect(of("10.0.0.1", "10.9.9.9, 198.51.100.1, 192.0.2.7")).toBe("198.51.100.1");
  });

  it("is the last that could be read, when what stands there is none", () => {
    expect(of("10.0.0.1", "198.51.100.1, unknown")).toBe("10.0.0.1");
    expect(of("10.0.0.1", "198.51.100.1, <script>, 10.0.0.2")).toBe("10.0.0.2");
    expect(of("10.0.0.1", "")).toBe("10.0.0.1");
  });

  it("stands with a port or in brackets too", () => {
    expect(of("10.0.0.1", "198.51.100.1:4711")).toBe("198.51.100.1");
    expect(of("10.0.0.1", "[2001:db8::5]:443")).toBe("2001:db8::5");
    expect(of("10.0.0.1", "[2001:db8::5]")).toBe("2001:db8::5");
  });

  it("costs no more for a header with thousands of hops", () => {
    expect(of("10.0.0.1", Array.from({ length: 5_000 }, () => "10.0.0.3").join(","))).toBe("10.0.0.3");
  });
});

describe("https in front", () => {
  it("is believed of a trusted proxy alone, and of the hop next to it", () => {
    const addresses = createClientAddresses(PROXIES);
    expect(addresses.isHttps(request("10.0.0.1", { "x-forwarded-proto": "https" }))).toBe(true);
    expect(addresses.isHttps(request("10.0.0.1", { "x-forwarded-proto": "https, http" }))).toBe(false);
    expect(addresses.isHttps(request("203.0.113.9", { "x-forwarded-proto": "https" }))).toBe(false);
    expect(addresses.isHttps(request("10.0.0.1"))).toBe(false);
  });
});

describe("what is counted together", () => {
  it("is an IPv4 address, and the /64 of an IPv6 one", () => {
    expect(groupOf("198.51.100.1")).toBe("198.51.100.1");
    expect(groupOf("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
    expect(groupOf("2001:db8:1:2::6")).toBe(groupOf("2001:0db8:0001:0002:ffff::"));
    expect(groupOf("2001:db8::1")).toBe("2001:db8:0:0::/64");
    expect(groupOf("::1")).toBe("0:0:0:0::/64");
  });

  it("of a home is the /24 and the /48", () => {
    expect(homeNetworkOf("198.51.100.77")).toBe("198.51.100.0/24");
    expect(homeNetworkOf("2001:db8:1:2::6")).toBe("2001:db8:1::/48");
    expect(homeNetworkOf("")).toBe("");
  });
});

describe("a trusted proxy in the settings", () => {
  it("is an address or a subnet", () => {
    expect(["10.0.0.1", "10.0.0.0/8", "fd00::/8", "::1", "0.0.0.0/0"].map(isSubnet)).toEqual([true, true, true, true, true]);
    expect(["", "proxy.example", "10.0.0.0/33", "fd00::/129", "10.0.0.0/8/8", "10.0.0.0/", "10.0/8", "*"].some(isSubnet)).toBe(false);
  });
});
