/** What a device stores of amendments, besides the row of their message: earlier texts, the list of pins, and what waits. */
import { toHex } from '../../protocol/bytes.ts'
import { struct, text, uint, type TypeOf } from '../../protocol/codec.ts'
import { amendmentsCodec, type Amendments } from '../../protocol/conversation/amendments.ts'
import { deviceIdCodec } from '../../protocol/identity/device.ts'
import { MAX_TEXT_UNITS } from '../../protocol/limits.ts'
import { entry, type ShownId } from './conversation-entries.ts'
import type { Slot } from './state-store.ts'
import { namedMessageEntry, type NamedMessage } from './store-layout.ts'

/** One text that an edited message had or has. */
const textVersionCodec = struct({ version: uint(), deviceId: deviceIdCodec, at: uint(), text: text(MAX_TEXT_UNITS) })
export type TextVersion = TypeOf<typeof textVersionCodec>
export const textVersionEntry = entry(textVersionCodec)
const amendmentsEntry = entry(amendmentsCodec)

export const amendmentSlots = {
  /** What was said about a message that has not come yet. */
  awaited: (conversation: string, message: ShownId): Slot<Amendments> => ({
    space: 'awaited-amendments',
    id: conversation,
    order: message,
    codec: amendmentsEntry
  }),
  /** Texts of a message that was edited, the first one with version 0. */
  textVersion: (
    message: ShownId,
    { version, deviceId }: Pick<TextVersion, 'version' | 'deviceId'>
  ): Slot<TextVersion> => ({
    space: 'text-version',
    id: message,
    order: `${version}.${toHex(deviceId)}`,
    codec: textVersionEntry
  }),
  /** A pinned message of a conversation. */
  pin: (conversation: string, message: ShownId): Slot<NamedMessage> => ({
    space: 'pin',
    id: conversation,
    order: message,
    codec: namedMessageEntry
  })
}
