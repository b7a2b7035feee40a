/** Reactions and polls as screens and the command line see them. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { NO_AMENDMENTS } from '../../protocol/conversation/amendments.ts'
import { shownEmoji } from '../../protocol/conversation/emoji.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { Poll, Reaction } from '../peer-api.ts'
import type { MessageRow } from '../store/conversation-entries.ts'

type Amended = Pick<MessageRow, 'amendments' | 'poll'>

/** What people gave a message, the most given first. */
export function reactionsOf({ amendments }: Amended, me: AccountId): Reaction[] {
  const given = (amendments ?? NO_AMENDMENTS).reactions.filter(({ emoji }) => emoji !== null)
  return [...Map.groupBy(given, ({ emoji }) => shownEmoji(emoji!))]
    .map(([emoji, by]) => ({
      emoji,
      from: by.map(({ accountId }) => toHex(accountId)),
      isMine: by.some(({ accountId }) => equalBytes(accountId, me))
    }))
    .sort((a, b) => b.from.length - a.from.length || (a.emoji < b.emoji ? -1 : 1))
}

/** A poll with its votes; null for another message. A choice that the poll does not offer counts for nothing. */
export function pollOf({ amendments, poll }: Amended, me: AccountId): Poll | null {
  if (!poll) return null
  const ballots = (amendments ?? NO_AMENDMENTS).votes.map(({ accountId, choices }) => ({
    accountId,
    choices: choices.filter(choice => choice < poll.options.length).slice(0, poll.isMultiple ? undefined : 1)
  }))
  const cast = ballots.filter(({ choices }) => choices.length > 0)
  const options = poll.options.map((text, i) => {
    const by = cast.filter(({ choices }) => choices.includes(i)).map(({ accountId }) => accountId)
    return { text, votes: by.map(toHex), isMine: by.some(accountId => equalBytes(accountId, me)) }
  })
  return { options, isMultiple: poll.isMultiple, voters: cast.length }
}
