/** Parsers of what travels inside an envelope, and of the state that a device keeps about it. */
import { fromHex } from '../../../../protocol/bytes.ts'
import { decodeMessage, encodeMessage } from '../../../../protocol/conversation/message.ts'
import { decodeGroupChange } from '../../../../protocol/groups/group-change.ts'
import { decodeRoster, encodeRoster } from '../../../../protocol/roster/roster.ts'
import { emptyOwnKeys, ownKeysState } from '../../../../protocol/session/conversation-keys.ts'
import {
  decodeMessageFrame,
  decodeMessagePacket,
  encodeMessageFrame,
  encodeMessagePacket
} from '../../../../protocol/session/message-packet.ts'
import {
  decodeOpenBody,
  decodeOpenContent,
  decodeOpenPart,
  encodeOpenBody,
  encodeOpenContent,
  encodeOpenPart
} from '../../../../protocol/session/open-body.ts'
import { emptyOutbound, outboundState } from '../../../../protocol/session/outbound.ts'
import { decodePacket, encodePacket } from '../../../../protocol/session/packet.ts'
import { decodePairContent, encodePairContent } from '../../../../protocol/session/pair-packet.ts'
import { weeklyKeysState } from '../../../../protocol/session/weekly-keys.ts'
import { SeededRandom } from '../../../support/seeded-random.ts'
import { makeGroupVectors } from '../../../vectors/group-vectors.ts'
import { makeSessionVectors } from '../../../vectors/session-vectors.ts'
import { createTestDevice, testEnvironment } from '../../../unit/protocol/session/fixtures.ts'
import { bytesTarget, type FuzzTarget } from './fuzz-target.ts'

const vectors = await makeSessionVectors()
const groupLog = await makeGroupVectors()
const env = testEnvironment('fuzz')
const random = new SeededRandom(1)
const device = await createTestDevice(env, random.bytes(32) as never)
const conversationId = random.bytes(32) as never

const messages = vectors.messages.map(({ encoded }) => fromHex(encoded))
const packets = vectors.packets.map(({ packet }) => fromHex(packet))
const openBody = fromHex(vectors.open.openBody)

const content = encodeOpenContent({
  context: {
    suite: 1,
    sessionId: random.bytes(16) as never,
    conversationId,
    rosterEpoch: 0,
    rosterHash: random.bytes(32),
    senderAccount: device.accountId,
    senderDevice: device.deviceId,
    sessionKey: random.bytes(32),
    commitment: random.bytes(32),
    conversationKeyId: random.bytes(32),
    conversationKeyIndex: 3,
    firstSequence: 10,
    createdAt: env.now(),
    maxMessages: 100,
    maxAgeMs: 1_000_000
  },
  senderKeys: device.publicKeys,
  conversationKey: random.bytes(1216),
  members: [{ accountId: device.accountId, head: random.bytes(32) as never }],
  group: { heads: [random.bytes(32) as never], records: [random.bytes(32) as never] },
  joined: [0, 10]
})
const frames = [
  { sequence: 4, predecessor: random.bytes(32), content: messages[0]! },
  { sequence: null, predecessor: null, content: messages[1]! }
]

export const sessionTargets: readonly FuzzTarget[] = [
  bytesTarget('message', messages, decodeMessage, encodeMessage),
  bytesTarget('roster', [fromHex(vectors.roster.encoded)], decodeRoster, encodeRoster),
  bytesTarget(
    'group change',
    groupLog.changes.map(({ encoded }) => fromHex(encoded)),
    bytes => decodeGroupChange(env, bytes),
    ({ encoded }) => encoded
  ),
  bytesTarget('open body', [openBody], decodeOpenBody, encodeOpenBody),
  bytesTarget('open content', [content], decodeOpenContent, encodeOpenContent),
  bytesTarget('open part', [fromHex(vectors.open.part)], decodeOpenPart, encodeOpenPart),
  bytesTarget('message packet', packets, decodeMessagePacket, encodeMessagePacket),
  bytesTarget('message frame', frames.map(encodeMessageFrame), decodeMessageFrame, encodeMessageFrame),
  bytesTarget('content between two', [encodePairContent({ sentAt: 5, frames })], decodePairContent, encodePairContent),
  bytesTarget(
    'packet',
    [
      encodePacket({ kind: 'open', openBody, messages: packets }),
      encodePacket({ kind: 'groupOpen', openBody, messages: packets, log: random.bytes(900) }),
      encodePacket({ kind: 'messages', messages: packets }),
      ...vectors.pairing.packets.map(({ packet }) => fromHex(packet))
    ],
    decodePacket,
    encodePacket
  ),
  bytesTarget(
    'state of what is sent',
    [outboundState.encode(emptyOutbound(env, conversationId, device.deviceId))],
    outboundState.decode,
    outboundState.encode
  ),
  bytesTarget('state of own keys', [ownKeysState.encode(emptyOwnKeys())], ownKeysState.decode, ownKeysState.encode),
  bytesTarget(
    'state of weekly keys',
    [weeklyKeysState.encode(device.weekly)],
    weeklyKeysState.decode,
    weeklyKeysState.encode
  )
]
