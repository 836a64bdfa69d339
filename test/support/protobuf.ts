/** As much of Protocol Buffers as the conversation of Chromium with its push service has. */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

/** The number at the beginning, and how many bytes it has; undefined where they have not all arrived. */
export function readVarint(bytes: Uint8Array): { readonly value: bigint; readonly size: number } | undefined {
  const end = bytes.findIndex((byte) => byte < 128);
  if (end === -1) return undefined;
  const value = bytes.subarray(0, end + 1).reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 127), 0n);
  return { value, size: end + 1 };
}

function tagged(field: number, kind: number, ...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([varint((field << 3) | kind), ...parts]);
}

export function numberField(field: number, value: number | bigint): Buffer {
  return tagged(field, VARINT, varint(value));
}

export function fixedField(field: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return tagged(field, FIXED64, bytes);
}

export function bytesField(field: number, value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  return tagged(field, BYTES, varint(bytes.length), bytes);
}

/** The first field of that number that is text. Knows numbers and lengths, which is all that logins are made of. */
export function textIn(message: Uint8Array, field: number): string | undefined {
  let rest = message;
  const next = (): bigint => {
    const read = readVarint(rest);
    if (read === undefined) throw new Error("A message of another kind");
    rest = rest.subarray(read.size);
    return read.value;
  };
  while (rest.length > 0) {
    const tag = Number(next());
    const kind = tag & 7;
    const size = kind === FIXED64 ? 8 : Number(next());
    if (kind === VARINT) continue;
    if (kind === BYTES && tag >> 3 === field) return Buffer.from(rest.subarray(0, size)).toString();
    rest = rest.subarray(size);
  }
  return undefined;
}
