import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  amendmentsCodec,
  amendmentsOf,
  equalAmendments,
  mergeAmendments,
  NO_AMENDMENTS,
  nextVersion,
  type AmendingBody,
  type Amendments
} from '../../../../protocol/conversation/amendments.ts'
import { isEmoji, shownEmoji, UNKNOWN_EMOJI } from '../../../../protocol/conversation/emoji.ts'
import { decode, encode } from '../../../../protocol/codec.ts'
import type { AccountId, DeviceId } from '../../../../protocol/identity/device.ts'
import type { MessageId } from '../../../../protocol/conversation/message.ts'

const account = (n: number) => new Uint8Array(32).fill(n) as AccountId
const device = (n: number) => new Uint8Array(16).fill(n) as DeviceId
const target = new Uint8Array(32)
const own = new Uint8Array(16) as MessageId

const version = fc.integer({ min: 0, max: 4 })
const body: fc.Arbitrary<AmendingBody> = fc.oneof(
  fc.record({
    kind: fc.constant('edit' as const),
    target: fc.constant(own),
    text: fc.string({ maxLength: 3 }),
    version
  }),
  fc.record({
    kind: fc.constant('reaction' as const),
    target: fc.constant(target),
    emoji: fc.constantFrom('👍', '❤️', null),
    version
  }),
  fc.record({
    kind: fc.constant('vote' as const),
    target: fc.constant(target),
    choices: fc.subarray([0, 1, 2]),
    version
  }),
  fc.record({ kind: fc.constant('pin' as const), target: fc.constant(target), isPinned: fc.boolean(), version }),
  fc.record({
    kind: fc.constant('star' as const),
    conversationId: fc.constant(target),
    target: fc.constant(target),
    isStarred: fc.boolean(),
    version
  })
)
const said: fc.Arbitrary<Amendments> = fc
  .tuple(body, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }))
  .map(([what, who, which]) =>
    amendmentsOf(what, { accountId: account(who), deviceId: device(10 * who + which), sentAt: which })
  )
const deletion = fc.constantFrom<Amendments>(
  { ...NO_AMENDMENTS, isDeleted: true },
  { ...NO_AMENDMENTS, isHidden: true },
  NO_AMENDMENTS,
  NO_AMENDMENTS,
  NO_AMENDMENTS,
  NO_AMENDMENTS
)
const everything = fc.array(fc.oneof({ weight: 9, arbitrary: said }, { weight: 1, arbitrary: deletion }), {
  maxLength: 24
})
const all = (some: Amendments[]): Amendments => some.reduce(mergeAmendments, NO_AMENDMENTS)

describe('what is said about a message', () => {
  test('comes to the same on every device, in any order, and however often each thing comes', () => {
    const arrivals = everything.chain(some =>
      fc.record({
        some: fc.constant(some),
        other: fc.shuffledSubarray([...some, ...some], { minLength: 2 * some.length }).map(order => order)
      })
    )
    fc.assert(
      fc.property(arrivals, ({ some, other }) => {
        const [one, another] = [all(some), all(other)]
        expect(equalAmendments(one, another)).toBe(true)
        expect(encode(amendmentsCodec, one)).toEqual(encode(amendmentsCodec, another))
      }),
      { numRuns: 2_000 }
    )
  })

  test('may be merged in parts, as when a device hands over its history', () => {
    fc.assert(
      fc.property(everything, everything, everything, (a, b, c) => {
        const parts = mergeAmendments(mergeAmendments(all(c), all(a)), mergeAmendments(all(a), all(b)))
        expect(equalAmendments(parts, all([...a, ...b, ...c]))).toBe(true)
      }),
      { numRuns: 1_000 }
    )
  })

  test('is stored and read again', () => {
    fc.assert(
      fc.property(everything, some => {
        const one = all(some)
        const bytes = encode(amendmentsCodec, one)
        expect(decode(amendmentsCodec, bytes, { maxBytes: 100_000, maxDepth: 8 })).toEqual(one)
      })
    )
  })

  test('leaves nothing of a message that is deleted', () => {
    fc.assert(
      fc.property(everything, some => {
        expect(all([...some, { ...NO_AMENDMENTS, isDeleted: true }])).toMatchObject({
          isDeleted: true,
          edit: null,
          reactions: [],
          votes: [],
          pin: null,
          star: null
        })
      })
    )
  })

  test('of a change that was made after seeing another, the later counts, whatever the clocks', () => {
    const first = { kind: 'reaction' as const, target, emoji: '👍', version: nextVersion(9_000, undefined) }
    const second = { ...first, emoji: '🎉', version: nextVersion(5, first.version) }
    const by = (n: number) => ({ accountId: account(1), deviceId: device(n), sentAt: 0 })
    const both = all([amendmentsOf(second, by(1)), amendmentsOf(first, by(2))])
    expect(both.reactions.map(({ emoji }) => emoji)).toEqual(['🎉'])
    expect(nextVersion(5, Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER)
  })

  test('a pin with the highest version there is can be taken away by others', () => {
    const pin = { kind: 'pin' as const, target, isPinned: true, version: Number.MAX_SAFE_INTEGER }
    const by = (n: number) => ({ accountId: account(n), deviceId: device(n), sentAt: 0 })
    const held = amendmentsOf(pin, by(9))
    const away = amendmentsOf({ ...pin, isPinned: false }, by(1))
    expect(mergeAmendments(held, away).pin!.isPinned).toBe(false)
    expect(mergeAmendments(away, held).pin!.isPinned).toBe(false)
  })
})

test.each(['👍', '❤️', '🏳️‍🌈', '👨‍👩‍👧‍👦', '🇩🇪', '#️⃣', '👋🏽', '🏴󠁧󠁢󠁳󠁣󠁴󠁿'])('%s is one emoji', emoji =>
  expect(isEmoji(emoji)).toBe(true)
)
test.each(['verified ✓', '\u202Eevil', 'Volo: your number changed', '👍👍'])('"%s" is shown as a sign for it', text =>
  expect(shownEmoji(text)).toBe(UNKNOWN_EMOJI)
)
test('of an emoji that is shown, any can be given', () => {
  expect(shownEmoji('👍')).toBe('👍')
  expect(isEmoji(UNKNOWN_EMOJI)).toBe(true)
})
test.each(['', 'a', '👍👍', '👍 ', 'call me', '1', '🇩', ' '])('"%s" is not one emoji', text =>
  expect(isEmoji(text)).toBe(false)
)
