/**
 * Arrays in Postgres' binary format, which the driver sends as it is when a parameter is a Buffer. A text array must be quoted
 * here and parsed there, character by character; for JSON that costs more than the insert itself.
 */
const HEADER = 20;
const POSTGRES_EPOCH_MS = 946_684_800_000;

export const textArray = (values: readonly (string | null)[]): Buffer => stringArray(25, values);
export const jsonArray = (values: readonly (string | null)[]): Buffer => stringArray(114, values);

/** Of hexadecimal texts of the same length. */
export function bytesArray(values: readonly string[]): Buffer {
  const width = (values[0] ?? '').length / 2;
  return fixedArray(17, width, values, (buffer, value, offset) => offset + buffer.write(value, offset, 'hex'));
}

export function int4Array(values: readonly number[]): Buffer {
  return fixedArray(23, 4, values, (buffer, value, offset) => buffer.writeInt32BE(value, offset));
}

export function int8Array(values: readonly bigint[]): Buffer {
  return fixedArray(20, 8, values, (buffer, value, offset) => buffer.writeBigInt64BE(value, offset));
}

export function timestampArray(values: readonly (Date | null)[]): Buffer {
  return fixedArray(1184, 8, values, (buffer, value, offset) =>
    buffer.writeBigInt64BE(BigInt(value.getTime() - POSTGRES_EPOCH_MS) * 1000n, offset),
  );
}

function stringArray(elementType: number, values: readonly (string | null)[]): Buffer {
  const lengths = values.map((value) => (value === null ? -1 : Buffer.byteLength(value)));
  const size = lengths.reduce((sum, length) => sum + 4 + Math.max(length, 0), HEADER);
  const buffer = Buffer.allocUnsafe(size);
  let offset = writeHeader(buffer, elementType, values);
  values.forEach((value, index) => {
    offset = buffer.writeInt32BE(lengths[index] as number, offset);
    if (value !== null) offset += buffer.write(value, offset);
  });
  return values.length === 0 ? empty(elementType) : buffer;
}

function fixedArray<T>(
  elementType: number,
  width: number,
  values: readonly (T | null)[],
  write: (buffer: Buffer, value: T, offset: number) => number,
): Buffer {
  if (values.length === 0) return empty(elementType);
  const buffer = Buffer.allocUnsafe(HEADER + values.length * (4 + width));
  let offset = writeHeader(buffer, elementType, values);
  for (const value of values) {
    offset = buffer.writeInt32BE(value === null ? -1 : width, offset);
    if (value !== null) offset = write(buffer, value, offset);
  }
  return buffer.subarray(0, offset);
}

/** Dimensions, whether there are nulls, element type, length, lower bound. */
function writeHeader(buffer: Buffer, elementType: number, values: readonly unknown[]): number {
  [1, values.includes(null) ? 1 : 0, elementType, values.length, 1].forEach((field, index) =>
    buffer.writeInt32BE(field, index * 4),
  );
  return HEADER;
}

function empty(elementType: number): Buffer {
  const buffer = Buffer.alloc(12);
  buffer.writeInt32BE(elementType, 8);
  return buffer;
}
