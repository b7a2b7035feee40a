/**
 * Writes CBOR of exactly the shape asked for. Cardano's own encoders choose shapes by themselves, and the devnet's faucet
 * and the hand-built transactions of the tests need to say every byte.
 */

/** CBOR head of a major type (0 to 7) with its argument in the shortest form. */
export function encodeHead(major: number, argument: bigint): number[] {
  if (argument < 24n) return [(major << 5) | Number(argument)]
  const [info, size] =
    argument < 256n ? [24, 1] : argument < 65536n ? [25, 2] : argument < 4294967296n ? [26, 4] : [27, 8]
  const bytes = [(major << 5) | info!]
  for (let i = size! - 1; i >= 0; i--) bytes.push(Number((argument >> BigInt(8 * i)) & 255n))
  return bytes
}

/** An unsigned integer. */
export const encodeUint = (value: bigint): Uint8Array => Uint8Array.from(encodeHead(0, value))
/** A byte string. */
export const encodeBytes = (value: Uint8Array): Uint8Array =>
  Uint8Array.from([...encodeHead(2, BigInt(value.length)), ...value])
/** An array of items that are CBOR already. */
export const encodeArray = (items: Uint8Array[]): Uint8Array =>
  Uint8Array.from([...encodeHead(4, BigInt(items.length)), ...items.flatMap(item => [...item])])
/** A map of keys and values that are CBOR already, in the order given. */
export const encodeMap = (entries: [Uint8Array, Uint8Array][]): Uint8Array =>
  Uint8Array.from([...encodeHead(5, BigInt(entries.length)), ...entries.flat().flatMap(item => [...item])])
/** A tag before an item that is CBOR already. */
export const encodeTag = (tag: bigint, item: Uint8Array): Uint8Array =>
  Uint8Array.from([...encodeHead(6, tag), ...item])
