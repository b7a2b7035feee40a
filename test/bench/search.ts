/** How long it takes to find words among all messages of a device, beside a scan of the same texts in plain memory. */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { MessageId } from '../../protocol/conversation/message.ts'
import { createNodeCrypto } from '../../protocol/crypto/backends/node-crypto.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import { Secret } from '../../protocol/secret.ts'
import { SILENT_LOG } from '../../peer/ports.ts'
import { foldedWords } from '../../peer/search/folded-words.ts'
import { SearchIndex } from '../../peer/search/search-index.ts'
import { createAesAtRestCipher } from '../../peer/store/aes-at-rest-cipher.ts'
import { openLevelStore } from '../../peer/store/level-store.ts'
import { SealedStore } from '../../peer/store/sealed-store.ts'
import { searchDueEntry } from '../../peer/store/search-slots.ts'
import { StateStore } from '../../peer/store/state-store.ts'
import { orderOf, type MessageRow } from '../../peer/store/conversation-entries.ts'
import { slots } from '../../peer/store/store-layout.ts'
import { temporaryFolder } from '../support/network/real-processes/node-process.ts'
import { eventually } from '../support/wait-for.ts'
import { percentile, report } from './report.ts'

const MESSAGES = 100_000
const CONVERSATIONS = 40
const ROWS_AT_ONCE = 1_000
const WORDS_OF_A_MESSAGE = 16
const VOCABULARY = 20_000
const QUERIES = 300
const LIMIT = 50
/** What an answer while typing may take, milliseconds. */
const TYPING_MS = 50

const crypto = createNodeCrypto()
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

/** The same each time: words of three to nine letters, short ones often. */
function vocabulary(): string[] {
  let seed = 7
  const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
  const letter = (): string => 'etaoinshrdlucmfwypvbgkjqxz'[Math.floor((next(26) * next(26)) / 26)]!
  return Array.from({ length: VOCABULARY }, () => Array.from({ length: 3 + next(7) }, letter).join(''))
}

function texts(words: string[]): string[] {
  let seed = 11
  const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
  const word = (): string => words[Math.floor((next(VOCABULARY) * next(VOCABULARY)) / VOCABULARY)]!
  return Array.from({ length: MESSAGES }, () => Array.from({ length: WORDS_OF_A_MESSAGE }, word).join(' '))
}

const rowOf = (conversationId: ConversationId, text: string, sentAt: number): MessageRow => ({
  messageId: random(16) as MessageId,
  conversationId,
  from: new Uint8Array(32) as AccountId,
  device: new Uint8Array(16) as DeviceId,
  mine: false,
  kind: 'text',
  text,
  line: null,
  sentAt,
  receivedAt: sentAt,
  state: null,
  problem: null,
  readTold: true,
  file: null,
  replyTo: null,
  isForwarded: false,
  poll: null,
  expiresAfter: null,
  expiresAt: null,
  amendments: null
})

/** Measures the index over a store on disk. */
export async function benchSearch(): Promise<void> {
  const folder = temporaryFolder()
  const level = await openLevelStore(folder)
  const cipher = createAesAtRestCipher(crypto, new Secret(random(32)), random)
  const open = async (): Promise<StateStore> => new StateStore(await SealedStore.open(level, cipher, crypto, random))
  try {
    const words = vocabulary()
    const all = texts(words)
    await fill(await open(), all)
    await measure(await open(), all, words)
  } finally {
    await level.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function fill(states: StateStore, all: string[]): Promise<void> {
  const index = indexOver(states)
  const conversations = Array.from({ length: CONVERSATIONS }, () => toHex(random(32)))
  for (let start = 0; start < all.length; start += ROWS_AT_ONCE) {
    await states.unit(
      async unit => {
        for (let i = start; i < start + ROWS_AT_ONCE; i++) {
          const conversation = conversations[i % CONVERSATIONS]!
          const order = orderOf(1 + Math.floor(i / CONVERSATIONS))
          unit.write(slots.message(conversation, order), rowOf(fromHex(conversation) as ConversationId, all[i]!, i))
          await index.rowAppeared(unit, conversation, order)
        }
      },
      { durable: false }
    )
  }
  await index.find(['x'], 1)
  await eventually(async () => (await states.all('search-due', searchDueEntry)).length === 0, 'the blocks are written')
}

const indexOver = (states: StateStore): SearchIndex =>
  new SearchIndex({ states, timers: { after: () => () => undefined }, log: SILENT_LOG })

async function measure(states: StateStore, all: string[], words: string[]): Promise<void> {
  const index = indexOver(states)
  const started = performance.now()
  await index.find(['x'], 1)
  report('search: first search after a start, 100,000 messages', 'ms', performance.now() - started)
  const plain = all.map(foldedWords)
  const ours: number[] = []
  const bare: number[] = []
  for (let i = 0; i < QUERIES; i++) {
    const query = queryOf(words, i)
    ours.push(await timed(() => index.find(query, LIMIT)))
    bare.push(await timed(() => plain.filter(text => query.every(word => text.includes(word))).slice(-LIMIT)))
  }
  const peer = 'scan of the plain texts'
  report('search: p50', 'ms', percentile(ours, 0.5), { peer, peerValue: percentile(bare, 0.5) })
  report('search: p95', 'ms', percentile(ours, 0.95), { target: { atMost: TYPING_MS } })
  report('search: slowest', 'ms', Math.max(...ours), { target: { atMost: TYPING_MS } })
}

/** What people type: the first letters of a word, a part from its middle, two words. */
function queryOf(words: string[], i: number): string[] {
  const word = words[(i * 7_919) % VOCABULARY]!
  switch (i % 4) {
    case 0:
      return [word.slice(0, 2)]
    case 1:
      return [word.slice(1)]
    case 2:
      return [word, words[(i * 104_729) % VOCABULARY]!.slice(0, 3)]
    default:
      return [`${word}z`]
  }
}

async function timed(run: () => unknown): Promise<number> {
  const started = performance.now()
  await run()
  return performance.now() - started
}
