/** `safety`: the numbers of a conversation, and comparing the code of another person. */
import type { CheckedCode, ConversationSafety } from '../../peer-api.ts'
import { groupDigits } from '../../../protocol/conversation/safety-number.ts'
import { nameOf, printable } from '../output.ts'
import { conversationName } from './conversation-named.ts'
import { chatNamed } from './find-conversation.ts'
import { EXIT, requireLive, type Run } from './runnable.ts'

export const safety: Run<'safety'> = async (peer, command, output) => {
  await requireLive(peer)
  const conversation = await chatNamed(peer, command.chat, command.timeoutMs)
  const found = await peer.people.safety(conversation.id)
  const people = found.people.map(({ person, number, devices }) => {
    const { accountId, username, verifiedAt, isMe } = person
    return { accountId, username, isMe, number, devices, verifiedAt }
  })
  const { number, code } = found
  await output.print({ conversation: conversationName(conversation), number, people, code }, numbersOf(found))
  return EXIT.done
}

function numbersOf({ number, people, code }: ConversationSafety): string {
  const each = people.map(({ person, number: own, devices }) => {
    const flags = [person.isMe ? 'you' : '', person.verifiedAt === null ? '' : 'verified'].filter(Boolean)
    const suffix = flags.length > 0 ? ` (${flags.join(', ')})` : ''
    const count = devices.length === 1 ? '1 device' : `${devices.length} devices`
    return `  ${groupDigits(own)}  ${nameOf(person)}${suffix}, ${count}`
  })
  return [groupDigits(number), ...each, code ?? 'Too many devices for a code: compare the digits.'].join('\n')
}

/** Exit code 0 if both see the same, 1 otherwise. */
export const safetyCheck: Run<'safetyCheck'> = async (peer, command, output) => {
  await requireLive(peer)
  const conversation = await chatNamed(peer, command.chat, command.timeoutMs)
  const { result, by, differences } = await peer.people.checkCode(conversation.id, command.code)
  const named = differences.map(({ person, device, seenBy }) => ({
    accountId: person?.accountId ?? null,
    username: person?.username ?? null,
    device,
    seenBy
  }))
  await output.print({ result, by: by && nameOf(by), differences: named }, wordsOf({ result, by, differences }))
  return result === 'same' ? EXIT.done : EXIT.failed
}

function wordsOf({ result, by, differences }: CheckedCode): string {
  const who = by ? printable(nameOf(by)) : 'Somebody who is not in this conversation here'
  if (result === 'no-code') return 'This is not a code of `volo-peer safety`.'
  if (result === 'elsewhere') return 'This is the code of another conversation, or of another network.'
  if (result === 'same') return `${who} and you see the same devices of the same people.`
  const lines = differences.map(({ person, device, seenBy }) => {
    const whose = person ? printable(nameOf(person)) : 'a person who is not in this conversation here'
    const what = device === null ? 'the account' : `device ${device}`
    return `  ${what} of ${whose} is seen ${seenBy === 'here' ? 'here only' : `by ${who} only`}`
  })
  return [`${who} and you do not see the same.`, ...lines].join('\n')
}
