/**
 * A 32 bit number of a text, the same for ever: FNV-1a with its bits mixed, because keys often differ in their last characters only. Signed, as
 * PostgreSQL's integer is.
 */
export function keyHash(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
