import { constant, decode, encode, struct, type Codec } from '../codec.ts'

/** Longest encoded state that is read back; the largest holds skipped messages of 60 KiB. */
const MAX_STATE_BYTES = 32 * 1024 * 1024

const STATE_VERSION = 1

/** Bytes of one kind of state, for the store to keep sealed: `[version, state]`. */
export interface StateCodec<T> {
  encode(state: T): Uint8Array
  /** @throws ProtocolError `MALFORMED` or `TOO_LARGE` for anything that `encode` of this version does not produce. */
  decode(bytes: Uint8Array): T
}

/** Gives a state its versioned bytes. */
export function stateCodec<T>(codec: Codec<T>): StateCodec<T> {
  const versioned = struct({ version: constant(STATE_VERSION), state: codec })
  return {
    encode: state => encode(versioned, { version: STATE_VERSION, state } as never),
    decode: bytes => decode(versioned, bytes, { maxBytes: MAX_STATE_BYTES }).state as T
  }
}
