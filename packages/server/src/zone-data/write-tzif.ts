import type { Zone } from "@quiesce/core";

const HEADER_BYTES = 44;
const MAX_TYPES = 255;
/** The offset's name is not used anywhere, but a TZif file must have one. */
const DESIGNATION = Buffer.from("-00\0", "latin1");

function header(counts: { readonly transitions: number; readonly types: number }): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write("TZif2", "latin1");
  bytes.writeUInt32BE(counts.transitions, 32);
  bytes.writeUInt32BE(counts.types, 36);
  bytes.writeUInt32BE(DESIGNATION.length, 40);
  return bytes;
}

function typeRecord(offsetMs: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeInt32BE(Math.round(offsetMs / 1_000), 0);
  return bytes;
}

/** A zone as a TZif file (RFC 8536, version 2, whole seconds, no footer: after the last change its offset stands). For zones that do not come from a file. */
export function writeTzif(zone: Zone): Uint8Array {
  const offsets = [...new Set(zone.offsets)];
  // The first type is what holds before the first transition.
  if (offsets.length > MAX_TYPES) throw new RangeError(`${zone.name} has ${offsets.length} offsets, a TZif file at most ${MAX_TYPES}.`);
  const transitions = zone.starts.length - 1;
  const times = Buffer.alloc(transitions * 8);
  const indexes = Buffer.alloc(transitions);
  for (let index = 0; index < transitions; index++) {
    times.writeBigInt64BE(BigInt(Math.round((zone.starts[index + 1] ?? 0) / 1_000)), index * 8);
    indexes.writeUInt8(offsets.indexOf(zone.offsets[index + 1] ?? 0), index);
  }
  return Buffer.concat([
    // An empty block of version 1: one type and its name, the least that the RFC allows.
    header({ transitions: 0, types: 1 }),
    typeRecord(0),
    DESIGNATION,
    header({ transitions, types: offsets.length }),
    times,
    indexes,
    ...offsets.map(typeRecord),
    DESIGNATION,
    Buffer.from("\n\n", "latin1"),
  ]);
}
