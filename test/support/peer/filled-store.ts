/** Stores of peers that are written directly: a history that would take hours to send. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import type { MessageId } from '../../../protocol/conversation/message.ts'
import type { AccountId, DeviceId } from '../../../protocol/identity/device.ts'
import { NO_BODY } from '../../../peer/history/shown-bodies.ts'
import { createAesAtRestCipher } from '../../../peer/store/aes-at-rest-cipher.ts'
import type { MessageRow } from '../../../peer/store/conversation-entries.ts'
import { openLevelStore } from '../../../peer/store/level-store.ts'
import { openPeerStore } from '../../../peer/store/migrations.ts'
import type { SealedStore } from '../../../peer/store/sealed-store.ts'
import { createSecretKeyFile, SECRET_KEY_FILE } from '../../../peer/store/secret-key-file.ts'
import { loadStoreKey, STORE_FOLDER } from '../../../peer/store/store-key.ts'

const TEXT_CHARACTERS = 120

/** Opens the store of a data folder that no process has open. */
export async function openPeerFolder(dataDir: string): Promise<SealedStore> {
  const crypto = createNodeCrypto()
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
  const key = await loadStoreKey(crypto, random, dataDir, undefined)
  const cipher = createAesAtRestCipher(crypto, key, random)
  const keys = createSecretKeyFile(crypto, cipher, random, join(dataDir, SECRET_KEY_FILE))
  const level = await openLevelStore(join(dataDir, STORE_FOLDER))
  return openPeerStore(level, cipher, crypto, random, { keys, now: Date.now() })
}

/** A message of a filled chat; its text begins with its place. */
export function filledRow(
  place: number,
  conversationId: MessageRow['conversationId'],
  from: AccountId,
  device: DeviceId,
  mine: boolean
): MessageRow {
  return {
    messageId: new Uint8Array(randomBytes(16)) as MessageId,
    conversationId,
    from,
    device,
    mine,
    kind: 'text',
    text: `${place} `.padEnd(TEXT_CHARACTERS, 'lorem ipsum dolor sit amet '),
    line: null,
    sentAt: Date.now(),
    receivedAt: Date.now(),
    state: mine ? 'read' : null,
    problem: null,
    readTold: true,
    file: null,
    ...NO_BODY,
    expiresAfter: null,
    expiresAt: null,
    amendments: null
  }
}
