import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** A certificate with its key, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Who signs. */
export interface Authority extends Certificate {
  readonly name: string;
  readonly privateKey: KeyObject;
}

interface Wanted {
  readonly name: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const DAY_MS = 86_400_000;

// DER by hand (X.690): the tests need certificates on every machine, and a tool for that is not on every machine.
const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
};
const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));
const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text, "utf8"));
const bits = (content: Buffer): Buffer => der(0x03, Buffer.from([0]), content);
const octets = (content: Buffer): Buffer => der(0x04, content);
const yes = der(0x01, Buffer.from([0xff]));
const time = (at: Date): Buffer => der(0x18, Buffer.from(`${at.toISOString().replaceAll(/[-:T]|\..*/g, "")}Z`));
const nameOf = (name: string): Buffer => sequence(der(0x31, sequence(oid("550403"), utf8(name))));
const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"));
const extension = (id: string, value: Buffer, critical = false): Buffer => sequence(oid(id), ...(critical ? [yes] : []), octets(value));
const pem = (content: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${content
    .toString("base64")
    .replaceAll(/(.{64})/g, "$1\n")
    .trimEnd()}\n-----END CERTIFICATE-----\n`;

function build(
  wanted: Wanted,
  options: { readonly issuer: Authority | null; readonly extensions: (keyId: Buffer) => readonly Buffer[] },
): Authority {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const { name, notBefore = new Date(Date.now() - DAY_MS), notAfter = new Date(Date.now() + 90 * DAY_MS) } = wanted;
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(15)]);
  const keyId = createHash("sha1").update(spki).digest();
  const tbs = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaWithSha256,
    nameOf(options.issuer?.name ?? name),
    sequence(time(notBefore), time(notAfter)),
    nameOf(name),
    spki,
    der(0xa3, sequence(...options.extensions(keyId))),
  );
  const signature = sign("sha256", tbs, options.issuer?.privateKey ?? privateKey);
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { name, privateKey, key, cert: pem(sequence(tbs, ecdsaWithSha256, bits(signature))) };
}

/** An authority of its own. */
export function makeAuthority(name: string): Authority {
  return build({ name }, { issuer: null, extensions: () => [extension("551d13", sequence(yes), true)] });
}

/** A certificate for servers and clients; the names are those of the machine itself. */
export function issueCertificate(issuer: Authority, wanted: Wanted): Certificate {
  const localhost = der(0x82, Buffer.from("localhost"));
  const loopback = der(0x87, Buffer.from([127, 0, 0, 1]));
  const usage = sequence(oid("2b06010505070301"), oid("2b06010505070302"));
  const { cert, key } = build(wanted, {
    issuer,
    extensions: () => [extension("551d11", sequence(localhost, loopback)), extension("551d25", usage)],
  });
  return { cert, key };
}
