import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import type { PacketOrigin } from '../../../../protocol/conversation/packet-effects.ts'
import type { Message, MessageBody, MessageId } from '../../../../protocol/conversation/message.ts'
import type { AccountId, DeviceId } from '../../../../protocol/identity/device.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import type { ConversationId } from '../../../../protocol/roster/roster.ts'
import type { EngineContext } from '../../../../peer/engine-context.ts'
import { amendmentsIn } from '../../../../peer/history/amended-row.ts'
import { ConversationTimer } from '../../../../peer/history/conversation-timer.ts'
import { MessageLog } from '../../../../peer/history/message-log.ts'
import { shownIdOf } from '../../../../peer/history/shown-id.ts'
import { platformTimers, SILENT_LOG } from '../../../../peer/ports.ts'
import { RowWriter } from '../../../../peer/receiving/row-writer.ts'
import { EMPTY_CONVERSATION, messageEntry } from '../../../../peer/store/conversation-entries.ts'
import { textVersionEntry } from '../../../../peer/store/amendment-slots.ts'
import { namedMessageEntry, slots } from '../../../../peer/store/store-layout.ts'
import { memoryStates } from '../../../support/peer/memory-states.ts'

const PEOPLE = 3
const MESSAGES = 3
const conversationId = new Uint8Array(32).fill(7) as ConversationId
const key = toHex(conversationId)
const account = (n: number) => new Uint8Array(32).fill(n + 1) as AccountId
const idOf = (n: number) => new Uint8Array(16).fill(n + 1) as MessageId

/** One device that receives what people say. */
async function device(owner: number) {
  const { states, crypto, random } = await memoryStates()
  const context = {
    crypto,
    random,
    timers: platformTimers,
    log: SILENT_LOG,
    network: () => ({ id: new Uint8Array(32) as NetworkId }),
    device: () => ({ deviceId: new Uint8Array(16).fill(99) as DeviceId }),
    accountId: () => account(owner)
  } as unknown as EngineContext
  const nothing = (): void => undefined
  const history = new MessageLog(context, states, {
    index: { rowAppeared: async () => undefined, textChanged: async () => undefined },
    keepUnheard: false,
    ownName: () => null,
    erasing: { erase: async () => undefined },
    onMessage: nothing,
    onConversation: nothing,
    onEvent: nothing,
    onExpiry: nothing
  })
  const marks = { set: async () => undefined }
  const timer = new ConversationTimer(context, history)
  const writer = new RowWriter({
    context,
    history,
    marks,
    timer,
    groups: { accept: nothing },
    late: { noteRow: async () => undefined },
    onGap: nothing
  })
  await states.unit(async unit =>
    history.saveConversation(unit, {
      conversationId,
      accountId: account(1),
      kind: 'direct',
      ...EMPTY_CONVERSATION,
      updatedAt: 0
    })
  )
  return { context, states, history, writer }
}
type Device = Awaited<ReturnType<typeof device>>

interface Said {
  who: number
  which: number
  message: Message
}

async function take({ states, writer }: Device, { who, which, message }: Said): Promise<void> {
  const senderDevice = new Uint8Array(16).fill(10 * (who + 1) + which) as DeviceId
  const origin: PacketOrigin = { conversationId, senderAccount: account(who), senderDevice }
  await states.unit(unit => writer.write(unit, origin, { kind: 'message', sequence: 0, late: false, message }, 1))
}

/** All that a device knows, without when and in which order it came. */
async function known({ context, states }: Device) {
  const rows = (await states.range('message', key, messageEntry)).map(({ value }) => value)
  const messages = await Promise.all(
    rows
      .filter(({ kind }) => kind !== 'system')
      .map(async row => {
        const id = shownIdOf(context, row)
        const versions = await states.range('text-version', id, textVersionEntry)
        return { id, kind: row.kind, text: row.text, said: amendmentsIn(row), versions }
      })
  )
  const pins = await states.range('pin', key, namedMessageEntry)
  const conversation = (await states.read(slots.conversation(key)))!
  const waiting = await states.range('awaited-amendments', key, { encode: String as never, decode: toHex })
  return {
    messages: messages.sort((a, b) => (a.id < b.id ? -1 : 1)),
    pins: pins.map(({ value }) => toHex(value.name)).sort(),
    timer: conversation.timer,
    waiting
  }
}

const version = fc.integer({ min: 1, max: 3 })
interface Speech {
  who: number
  which: number
  about: number
  version: number
  said: string
  choice: number
}

/** What a person may say, about a message of any author. */
const speech: fc.Arbitrary<Speech> = fc.record({
  who: fc.nat(PEOPLE - 1),
  which: fc.nat(1),
  about: fc.nat(MESSAGES - 1),
  version,
  said: fc.constantFrom('edit', 'edit', 'reaction', 'vote', 'pin', 'timer', 'delete'),
  choice: fc.nat(2)
})

function bodyOf({ said, about, version, choice }: Speech, context: EngineContext): MessageBody {
  const target = Buffer.from(
    shownIdOf(context, { conversationId, from: account(about), messageId: idOf(about) }),
    'hex'
  )
  switch (said) {
    case 'edit':
      return { kind: 'edit', target: idOf(about), text: `text ${choice}`, version }
    case 'delete':
      return { kind: 'delete', target: idOf(about) }
    case 'reaction':
      return { kind: 'reaction', target: new Uint8Array(target), emoji: ['👍', '🎉', null][choice]!, version }
    case 'vote':
      return { kind: 'vote', target: new Uint8Array(target), choices: [choice], version }
    case 'pin':
      return { kind: 'pin', target: new Uint8Array(target), isPinned: choice > 0, version }
    default:
      return { kind: 'timer', seconds: choice === 0 ? null : choice, version }
  }
}

test('all devices are equal in the end, in whatever order they hear of messages and what is said about them', async () => {
  const story = fc
    .array(speech, { maxLength: 14 })
    .chain(speeches =>
      fc.tuple(fc.constant(speeches), fc.shuffledSubarray(indices(speeches), { minLength: speeches.length + MESSAGES }))
    )
  await fc.assert(
    fc.asyncProperty(story, fc.array(fc.nat(16), { maxLength: 6 }), async ([speeches, order], again) => {
      const [first, second] = [await device(0), await device(1)]
      const all: Said[] = speeches.map((each, i) => ({
        who: each.who,
        which: each.which,
        message: messageOf(100 + i, bodyOf(each, first.context))
      }))
      for (let n = 0; n < MESSAGES; n++) {
        const text: MessageBody = { kind: 'text', text: `message ${n}` }
        const poll: MessageBody = { kind: 'poll', question: 'Which?', options: ['a', 'b', 'c'], isMultiple: false }
        all.push({ who: n, which: 0, message: { ...messageOf(0, n === 2 ? poll : text), messageId: idOf(n) } })
      }
      for (const said of all) await take(first, said)
      for (const i of order) await take(second, all[i]!)
      for (const i of again) await take(second, all[i % all.length]!)
      expect(await known(second)).toEqual(await known(first))
    }),
    // One device that gives two texts the same version, which only a hostile one does.
    { numRuns: 150, examples: [[[SAME_VERSIONS, [6, 4, 0, 5, 7, 3, 2, 1]], []]] }
  )
})

const SAME_VERSIONS = [0, 0, 0, 1, 0].map((choice): Speech => ({
  who: 0,
  which: 0,
  about: 0,
  version: 1,
  said: 'edit',
  choice
}))

const messageOf = (n: number, body: MessageBody): Message => ({
  messageId: new Uint8Array(16).fill(n) as MessageId,
  sentAt: 5,
  expiresAfter: null,
  body
})
const indices = (speeches: unknown[]): number[] => Array.from({ length: speeches.length + MESSAGES }, (_, i) => i)
