/**
 * A cipher whose key is replaced, and the old key destroyed. The secrets of a store have one: what was erased or replaced until
 * then cannot be opened any more, whatever the database leaves in its files. In a browser the store itself has one, too: a lock
 * that is set, changed or taken off is another key.
 */
import { concatBytes } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { storeFailure } from '../errors.ts'
import type { AtRestCipher, KeyValueStore, SecretKey, SecretKeys } from '../ports.ts'

/** First byte of a value sealed under a generation; its number follows, 4 bytes, big-endian. */
export const GENERATION_VERSION = 2
const HEAD_BYTES = 5
/** Entry of a store whose secrets have generations: without their keys it must not get others. */
const MARK = 'secret-keys'

const headOf = (generation: number): Uint8Array => {
  // A store's first key: its values have no head.
  if (generation === 0) return new Uint8Array()
  const head = new Uint8Array(HEAD_BYTES)
  head[0] = GENERATION_VERSION
  new DataView(head.buffer).setUint32(1, generation)
  return head
}

/** @returns 0 for a value sealed under the store's own key, as all were before there were generations. */
function generationOf(sealed: Uint8Array): number {
  if (sealed[0] !== GENERATION_VERSION || sealed.length < HEAD_BYTES) return 0
  return new DataView(sealed.buffer, sealed.byteOffset).getUint32(1)
}

export class RotatingCipher implements AtRestCipher {
  readonly #keys: SecretKeys
  /** Opens what has no generation, unless generation 0 does. */
  readonly #storeCipher: AtRestCipher | undefined
  /** Readable generations by number; the last one seals. */
  readonly #generations: Map<number, SecretKey>

  /** @param generations - oldest first, at least one. */
  constructor(keys: SecretKeys, storeCipher: AtRestCipher | undefined, generations: SecretKey[]) {
    this.#keys = keys
    this.#storeCipher = storeCipher
    this.#generations = new Map(generations.map(generation => [generation.number, generation]))
  }

  get #current(): SecretKey {
    return [...this.#generations.values()].at(-1)!
  }

  /** When the key in use was made. */
  get since(): number {
    return this.#current.since
  }

  /** Whether a replacement was begun and not ended. */
  get hasOlder(): boolean {
    return this.#generations.size > 1
  }

  isCurrent(sealed: Uint8Array): boolean {
    return generationOf(sealed) === this.#current.number
  }

  async seal(name: string, value: Uint8Array): Promise<Uint8Array> {
    const { number, cipher } = this.#current
    return concatBytes(headOf(number), await cipher.seal(name, value))
  }

  async open(name: string, sealed: Uint8Array): Promise<Uint8Array> {
    const number = generationOf(sealed)
    const cipher = this.#generations.get(number)?.cipher ?? (number === 0 ? this.#storeCipher : undefined)
    if (!cipher) throw new ProtocolError('DECRYPT_FAILED', `the key of generation ${number} is not there`)
    return cipher.open(name, number === 0 ? sealed : sealed.subarray(HEAD_BYTES))
  }

  /** From now on a new key seals; older ones are still there to open. @param keys - makes the new key. */
  async advance(now: number, keys: Pick<SecretKeys, 'add'> = this.#keys): Promise<void> {
    const next = await keys.add(this.#current.number + 1, now)
    this.#generations.set(next.number, next)
  }

  /** Destroys all keys but the newest: the caller has sealed again what is still needed, and that is on disk. */
  async destroyOlder(): Promise<void> {
    const { number } = this.#current
    await this.#keys.keepOnly(number)
    for (const other of this.#generations.keys()) if (other !== number) this.#generations.delete(other)
  }
}

/**
 * Opens the keys of a store's secrets, making the first one for a store that never had any.
 *
 * @returns the cipher, and whether the store may have secrets without a generation.
 * @throws PeerError `store` if the store had keys and they are gone.
 */
export async function openRotatingCipher(
  store: KeyValueStore,
  storeCipher: AtRestCipher,
  keys: SecretKeys,
  { now, isNew }: { now: number; isNew: boolean }
): Promise<{ cipher: RotatingCipher; isOld: boolean }> {
  const generations = await keys.load()
  const isMarked = (await store.get(MARK)) !== undefined
  if (generations.length === 0) {
    if (isMarked) throw storeFailure('key-damaged', keys.location)
    generations.push(await keys.add(1, now))
  }
  if (!isMarked) await store.batch([{ key: MARK, value: await storeCipher.seal(MARK, new Uint8Array()) }])
  return { cipher: new RotatingCipher(keys, storeCipher, generations), isOld: !isMarked && !isNew }
}
