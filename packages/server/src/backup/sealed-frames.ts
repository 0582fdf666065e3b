import { createCipheriv, createDecipheriv } from "node:crypto";
import { DomainError } from "@quiesce/core";

/**
 * A stream under AES-256-GCM in frames, as the STREAM construction does it (Hoang, Reyhanitabar, Rogaway, Vizár 2015): the nonce of a frame is its number and
 * whether it is the last, so that none can be left out, repeated, moved or cut off. A key is used for one file only, so no nonce comes twice.
 *
 * On disk a frame is: length of its text (4 bytes, the highest bit set for the last one), the text, the tag (16 bytes).
 */
export interface FrameSettings {
  readonly key: Buffer;
  /** Authenticated with every frame: the digest of the header. */
  readonly bound: Buffer;
  /** Of text, in every frame but the last. */
  readonly frameBytes: number;
}

const tagBytes = 16;
const lengthBytes = 4;
const lastBit = 0x8000_0000;

/** Seals a stream; at least one frame comes out, the last. */
export async function* sealFrames(source: AsyncIterable<Buffer>, settings: FrameSettings): AsyncGenerator<Buffer, void, void> {
  let number = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of source) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    // What fills a frame exactly waits: it may be the last.
    while (rest.length > settings.frameBytes) {
      yield sealFrame(settings, { number, last: false, text: rest.subarray(0, settings.frameBytes) });
      rest = rest.subarray(settings.frameBytes);
      number += 1;
    }
  }
  yield sealFrame(settings, { number, last: true, text: rest });
}

/** Opens what sealFrames made. Throws QSC_BACKUP_TRUNCATED and QSC_BACKUP_DAMAGED; nothing unproven is ever given out. */
export async function* openFrames(source: AsyncIterable<Buffer>, settings: FrameSettings): AsyncGenerator<Buffer, void, void> {
  let rest: Buffer = Buffer.alloc(0);
  let number = 0;
  let ended = false;
  for await (const piece of source) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    while (!ended && rest.length >= lengthBytes) {
      const word = rest.readUInt32BE(0);
      const last = word >= lastBit;
      const length = last ? word - lastBit : word;
      if (length > settings.frameBytes || (!last && length !== settings.frameBytes)) throw damaged(number);
      const end = lengthBytes + length + tagBytes;
      if (rest.length < end) break;
      const text = openFrame(settings, { number, last, sealed: rest.subarray(lengthBytes, end) });
      rest = rest.subarray(end);
      number += 1;
      ended = last;
      yield text;
    }
    if (ended && rest.length > 0)
      throw new DomainError("QSC_BACKUP_DAMAGED", "The backup goes on after its end. Take another copy of the file.");
  }
  if (!ended) {
    throw new DomainError(
      "QSC_BACKUP_TRUNCATED",
      `The backup ends after ${number} frames, without its last one: it was cut off. Take another copy of the file; a backup that was broken off cannot be restored.`,
    );
  }
}

function nonceOf(number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt8(last ? 1 : 0, 3);
  nonce.writeBigUInt64BE(BigInt(number), 4);
  return nonce;
}

function sealFrame(settings: FrameSettings, frame: { readonly number: number; readonly last: boolean; readonly text: Buffer }): Buffer {
  const cipher = createCipheriv("aes-256-gcm", settings.key, nonceOf(frame.number, frame.last)).setAAD(settings.bound);
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(frame.text.length + (frame.last ? lastBit : 0), 0);
  return Buffer.concat([length, cipher.update(frame.text), cipher.final(), cipher.getAuthTag()]);
}

function openFrame(settings: FrameSettings, frame: { readonly number: number; readonly last: boolean; readonly sealed: Buffer }): Buffer {
  const { sealed } = frame;
  const decipher = createDecipheriv("aes-256-gcm", settings.key, nonceOf(frame.number, frame.last), { authTagLength: tagBytes });
  decipher.setAAD(settings.bound).setAuthTag(sealed.subarray(sealed.length - tagBytes));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - tagBytes)), decipher.final()]);
  } catch {
    // OpenSSL says no more than that it does not fit.
    throw damaged(frame.number);
  }
}

function damaged(number: number): DomainError {
  return new DomainError(
    "QSC_BACKUP_DAMAGED",
    `Frame ${number} of the backup is damaged or stands in another place. Take another copy of the file; nothing was restored from it.`,
  );
}
