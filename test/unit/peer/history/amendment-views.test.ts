import { expect, test } from 'vitest'
import { amendmentsOf, mergeAmendments, NO_AMENDMENTS } from '../../../../protocol/conversation/amendments.ts'
import { UNKNOWN_EMOJI } from '../../../../protocol/conversation/emoji.ts'
import type { AccountId, DeviceId } from '../../../../protocol/identity/device.ts'
import { eventOf } from '../../../../peer/history/amendment-target.ts'
import { reactionsOf } from '../../../../peer/history/amendment-views.ts'

const target = new Uint8Array(32)
const reaction = (emoji: string) => ({ kind: 'reaction' as const, target, emoji, version: 1 })
const account = (n: number) => new Uint8Array(32).fill(n) as AccountId
const given = (n: number, emoji: string) =>
  amendmentsOf(reaction(emoji), { accountId: account(n), deviceId: new Uint8Array(16).fill(n) as DeviceId, sentAt: 0 })

test('words and hidden characters that a stranger sends as a reaction are not shown as one', () => {
  const all = [given(1, '👍'), given(2, 'Verified ✓'), given(3, '\u202Eneppots')]
  const amendments = all.reduce(mergeAmendments, NO_AMENDMENTS)
  const shown = reactionsOf({ amendments, poll: null }, account(9))
  expect(shown.map(({ emoji, from }) => [emoji, from.length])).toEqual([
    [UNKNOWN_EMOJI, 2],
    ['👍', 1]
  ])
  expect(eventOf(reaction('Verified ✓'))).toEqual({ kind: 'reaction', emoji: UNKNOWN_EMOJI })
})
