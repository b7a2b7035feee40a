import { randomBytes } from 'node:crypto'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import { Secret } from '../../../protocol/secret.ts'
import { StateStore } from '../../../peer/store/state-store.ts'
import { createAesAtRestCipher } from '../../../peer/store/aes-at-rest-cipher.ts'
import { SealedStore } from '../../../peer/store/sealed-store.ts'
import { MemoryStore } from './memory-store.ts'

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

/** The states of a peer in memory, for parts of the engine that are tested by themselves. */
export async function memoryStates() {
  const store = new MemoryStore()
  const crypto = createNodeCrypto()
  const sealer = createAesAtRestCipher(crypto, new Secret(random(32)), random)
  const open = async (): Promise<StateStore> => new StateStore(await SealedStore.open(store, sealer, crypto, random))
  /** `reopened` is what the next process would find. */
  return { store, crypto, random, states: await open(), reopened: open }
}
