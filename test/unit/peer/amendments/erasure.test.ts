import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import { encodeMessage, type MessageId } from '../../../../protocol/conversation/message.ts'
import type { ConversationId } from '../../../../protocol/roster/roster.ts'
import { Erasure } from '../../../../peer/amendments/erasure.ts'
import type { EngineContext } from '../../../../peer/engine-context.ts'
import { platformTimers, SILENT_LOG, type AtRestCipher } from '../../../../peer/ports.ts'
import { openLevelStore } from '../../../../peer/store/level-store.ts'
import { SealedStore } from '../../../../peer/store/sealed-store.ts'
import { StateStore } from '../../../../peer/store/state-store.ts'
import type { MessageRow } from '../../../../peer/store/conversation-entries.ts'
import { slots } from '../../../../peer/store/store-layout.ts'
import { UnsentQueue } from '../../../../peer/sending/unsent-queue.ts'

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const SECRET = 'the words that must go'
/** Nothing is hidden from the files, so that they show what the database keeps. */
const plain: AtRestCipher = { seal: async (_, value) => value, open: async (_, value) => value } as AtRestCipher

const conversationId = new Uint8Array(32).fill(1) as ConversationId
const key = '01'.repeat(32)
const row = {
  conversationId,
  messageId: new Uint8Array(16).fill(2) as MessageId,
  from: new Uint8Array(32),
  device: new Uint8Array(16),
  mine: true,
  kind: 'text',
  text: SECRET,
  line: null,
  sentAt: 5,
  receivedAt: 5,
  state: 'sent',
  problem: null,
  readTold: false,
  file: null,
  replyTo: null,
  isForwarded: false,
  poll: null,
  expiresAfter: null,
  expiresAt: null,
  amendments: null
} as unknown as MessageRow

async function holds(folder: string): Promise<boolean> {
  const names = await readdir(folder)
  const files = await Promise.all(names.map(name => readFile(join(folder, name))))
  return files.some(file => file.includes(SECRET))
}

test('of a deleted message no file of the database holds the text, nor what was kept to send it again', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'volo-erase-')), 'store')
  const crypto = createNodeCrypto()
  const store = await SealedStore.open(await openLevelStore(folder), plain, crypto, random)
  const states = new StateStore(store)
  const queue = new UnsentQueue(states)
  const context = { store, timers: platformTimers, log: SILENT_LOG } as unknown as EngineContext
  const erasure = new Erasure(context, queue, () => Promise.reject(new Error('there is no file')))
  const { messageId } = row
  const content = encodeMessage({ messageId, sentAt: 5, expiresAfter: null, body: { kind: 'text', text: SECRET } })
  const edit = { kind: 'edit' as const, target: messageId, text: SECRET, version: 1 }
  const unsent = encodeMessage({ messageId: random(16) as MessageId, sentAt: 6, expiresAfter: null, body: edit })
  await states.unit(async unit => {
    unit.write(slots.message(key, '1'), row)
    unit.write(slots.sent(key, 3), { sequence: 3, predecessor: new Uint8Array(32), content, sentAt: 5 })
    await queue.push(unit, { conversationId, messageId: null, content: unsent, sequenced: true, again: null })
  })
  expect(await holds(folder)).toBe(true)
  await states.unit(async unit => {
    unit.write(slots.message(key, '1'), { ...row, kind: 'deleted', text: '' })
    await erasure.erase(unit, row, row)
  })
  expect(queue.conversations()).toEqual([])
  await erasure.stop()
  expect(await holds(folder)).toBe(false)
  await store.close()
})
