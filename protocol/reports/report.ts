/** What a person tells the operator of a node about another one: in their own words, with the messages that they chose. */
import { constant, list, struct, text, uint, type TypeOf } from '../codec.ts'
import { accountIdCodec } from '../identity/device.ts'

/** Longest text of a report, and of each message in it, in UTF-16 code units. */
export const MAX_REPORT_TEXT_UNITS = 2_000
export const MAX_REPORT_MESSAGES = 20
/** Longest encoded report: every text of the longest, at three bytes a unit. */
export const MAX_REPORT_BYTES = 3 * MAX_REPORT_TEXT_UNITS * (MAX_REPORT_MESSAGES + 1) + 4_096

/** A message as the reporter's device has it. Nobody can check it: what is decrypted proves nothing to others. */
const reportedMessageCodec = struct({ from: accountIdCodec, sentAt: uint(), text: text(MAX_REPORT_TEXT_UNITS) })

export const reportCodec = struct({
  version: constant(1),
  about: accountIdCodec,
  text: text(MAX_REPORT_TEXT_UNITS),
  messages: list(reportedMessageCodec, MAX_REPORT_MESSAGES)
})
export type Report = TypeOf<typeof reportCodec>
