import { DomainError } from "../domain-error.js";
import { LAST_YEAR } from "./local-time.js";
import { parsePosixTimeZone, posixChangesOfYear } from "./posix-time-zone.js";
import { zoneFromTransitions, type Zone, type ZoneTransition } from "./zone.js";

const HEADER_BYTES = 44;
const MAGIC = 0x545a6966;
/** The first year from which a footer without any transition before it is unrolled. */
const FOOTER_ONLY_FIRST_YEAR = 1900;

interface Header {
  readonly version: number;
  readonly utIndicators: number;
  readonly standardIndicators: number;
  readonly leapSeconds: number;
  readonly transitions: number;
  readonly types: number;
  readonly designationBytes: number;
}

function malformed(name: string, found: string): DomainError {
  return new DomainError(
    "QSC_TIME_ZONE_FILE_MALFORMED",
    `The zone file of ${name} cannot be used: ${found}. Expected a TZif file of version 2 or later (RFC 8536) without leap seconds. Take the files of a zoneinfo folder that zic made.`,
    { details: { zone: name } },
  );
}

function readHeader(view: DataView, at: number, name: string): Header {
  if (view.byteLength < at + HEADER_BYTES) throw malformed(name, `it ends after ${view.byteLength} bytes, inside a header`);
  if (view.getUint32(at) !== MAGIC) throw malformed(name, "it does not begin with TZif");
  return {
    version: view.getUint8(at + 4),
    utIndicators: view.getUint32(at + 20),
    standardIndicators: view.getUint32(at + 24),
    leapSeconds: view.getUint32(at + 28),
    transitions: view.getUint32(at + 32),
    types: view.getUint32(at + 36),
    designationBytes: view.getUint32(at + 40),
  };
}

function blockBytes(header: Header, timeBytes: 4 | 8): number {
  return (
    header.transitions * (timeBytes + 1) +
    header.types * 6 +
    header.designationBytes +
    header.leapSeconds * (timeBytes + 4) +
    header.standardIndicators +
    header.utIndicators
  );
}

/** Reads one TZif file (RFC 8536) and unrolls its footer rule to the last year that the engine evaluates. Throws DomainError when the bytes are not such a file. */
export function parseTzif(name: string, bytes: Uint8Array): Zone {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = readHeader(view, 0, name);
  if (first.version < 0x32) throw malformed(name, "it is of version 1, which ends in 2037 and has no rule for later years");
  const secondAt = HEADER_BYTES + blockBytes(first, 4);
  const header = readHeader(view, secondAt, name);
  const dataAt = secondAt + HEADER_BYTES;
  const footerAt = dataAt + blockBytes(header, 8);
  if (header.leapSeconds !== 0) throw malformed(name, "it counts leap seconds");
  if (header.types === 0 || view.byteLength < footerAt + 2) throw malformed(name, "its data block is incomplete");

  const typeIndexAt = dataAt + header.transitions * 8;
  const typesAt = typeIndexAt + header.transitions;
  const offsetOfType = (type: number): number => {
    if (type >= header.types) throw malformed(name, `it names type ${type} of ${header.types}`);
    return view.getInt32(typesAt + type * 6) * 1_000;
  };
  const transitions: ZoneTransition[] = [];
  for (let index = 0; index < header.transitions; index++) {
    const at = Number(view.getBigInt64(dataAt + index * 8)) * 1_000;
    transitions.push({ at, offsetMs: offsetOfType(view.getUint8(typeIndexAt + index)) });
  }
  const footer = new TextDecoder().decode(bytes.subarray(footerAt + 1)).split("\n", 1)[0] ?? "";
  return withFooter(name, offsetOfType(0), transitions, footer);
}

function withFooter(name: string, firstOffsetMs: number, transitions: ZoneTransition[], footer: string): Zone {
  // An empty footer says that nothing is known beyond the table: the last offset stands.
  if (footer === "") return zoneFromTransitions({ name, firstOffsetMs, transitions });
  const rule = parsePosixTimeZone(footer);
  if (rule === null) throw malformed(name, `its footer "${footer}" is not a POSIX TZ rule`);
  const last = transitions.at(-1);
  const initialOffsetMs = last === undefined ? rule.standardOffsetMs : firstOffsetMs;
  if (rule.daylight !== null) {
    const firstYear = last === undefined ? FOOTER_ONLY_FIRST_YEAR : Math.max(FOOTER_ONLY_FIRST_YEAR, new Date(last.at).getUTCFullYear());
    const lastAt = last?.at ?? Number.NEGATIVE_INFINITY;
    for (let year = firstYear; year <= LAST_YEAR + 1; year++) {
      for (const change of posixChangesOfYear(rule, year)) if (change.at > lastAt) transitions.push(change);
    }
  }
  return zoneFromTransitions({ name, firstOffsetMs: initialOffsetMs, transitions });
}
