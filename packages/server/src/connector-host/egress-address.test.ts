import { describe, expect, it } from "vitest";
import { classifyAddress, isReachable, mayBePrivate } from "./egress-address.js";

describe("an address", () => {
  it.each([
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["::1", "loopback"],
    ["0:0:0:0:0:0:0:1", "loopback"],
    ["::ffff:127.0.0.1", "loopback"],
    ["::ffff:7f00:1", "loopback"],
    ["0.0.0.0", "unspecified"],
    ["::", "unspecified"],
    ["::ffff:0.0.0.0", "unspecified"],
    ["10.0.0.1", "private"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["172.32.0.1", "public"],
    ["192.168.1.1", "private"],
    ["::ffff:192.168.1.1", "private"],
    ["100.64.0.1", "private"],
    ["100.128.0.1", "public"],
    ["fd12:3456::1", "private"],
    ["fec0::1", "private"],
    ["169.254.169.254", "metadata"],
    ["::ffff:169.254.169.254", "metadata"],
    ["::ffff:a9fe:a9fe", "metadata"],
    ["169.254.170.2", "metadata"],
    ["100.100.100.200", "metadata"],
    ["168.63.129.16", "metadata"],
    ["fd00:ec2::254", "metadata"],
    ["169.254.1.1", "link-local"],
    ["fe80::1", "link-local"],
    ["fe80::1%eth0", "link-local"],
    ["224.0.0.251", "multicast"],
    ["ff02::1", "multicast"],
    ["255.255.255.255", "reserved"],
    ["240.0.0.1", "reserved"],
    ["192.0.2.1", "reserved"],
    ["198.18.0.1", "reserved"],
    ["2001:db8::1", "reserved"],
    ["4000::1", "reserved"],
    ["64:ff9b::7f00:1", "translated"],
    ["64:ff9b:1::a00:1", "translated"],
    ["2002:7f00:1::", "translated"],
    ["2001:0:4136:e378:8000:63bf:3fff:fdd2", "translated"],
    ["::127.0.0.1", "translated"],
    ["8.8.8.8", "public"],
    ["::ffff:8.8.8.8", "public"],
    ["2606:4700::1111", "public"],
    // No addresses: a resolver never answers so, and if it did, nobody would connect.
    ["2130706433", "reserved"],
    ["0177.0.0.1", "reserved"],
    ["0x7f.0.0.1", "reserved"],
    ["127.1", "reserved"],
    ["localhost", "reserved"],
    ["", "reserved"],
  ])("%s is %s", (address, kind) => {
    expect(classifyAddress(address)).toBe(kind);
  });

  it("is opened by an operator's word only where it is loopback or private", () => {
    const opened = (address: string) => [isReachable(address, { privateAllowed: false }), isReachable(address, { privateAllowed: true })];
    expect([opened("10.0.0.1"), opened("127.0.0.1"), opened("8.8.8.8")]).toEqual([
      [false, true],
      [false, true],
      [true, true],
    ]);
    for (const never of ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "64:ff9b::a00:1", "192.0.2.1"])
      expect(opened(never), never).toEqual([false, false]);
  });
});

describe("a host", () => {
  it("leads inside when it is an address, localhost, or listed by name", () => {
    const listed = ["erp.example.lan", "*.corp.example"];
    for (const host of ["10.1.2.3", "[::1]", "localhost", "ERP.example.lan", "erp.example.lan.", "a.corp.example", "a.b.corp.example"])
      expect(mayBePrivate(host, listed), host).toBe(true);
    for (const host of [
      "example.lan",
      "xerp.example.lan",
      "corp.example",
      "xcorp.example",
      "erp.example.lan.evil.example",
      "localhost.evil.example",
    ])
      expect(mayBePrivate(host, listed), host).toBe(false);
  });
});
