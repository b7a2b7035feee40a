import { describe, expect, test } from 'vitest'
import { emptyMarks, mergeMarks, PersonMarksBook, type StoredMarks } from '../../../../peer/people/person-marks.ts'
import type { AccountId } from '../../../../protocol/identity/device.ts'
import { memoryStates } from '../../../support/peer/memory-states.ts'

const ADA = new Uint8Array(32).fill(1) as AccountId
const marks = (change: Partial<StoredMarks>): StoredMarks => ({ ...emptyMarks(ADA), ...change })

describe('marks set on two devices', () => {
  test('the later of each mark counts, whichever device merges', () => {
    const phone = marks({ nickname: { value: 'A', at: 5 }, blocked: { value: true, at: 9 } })
    const laptop = marks({ nickname: { value: 'Countess', at: 7 }, muted: { value: true, at: 1 } })
    const merged = mergeMarks(phone, laptop)
    expect(merged).toEqual(mergeMarks(laptop, phone))
    expect(merged).toMatchObject({
      nickname: { value: 'Countess', at: 7 },
      blocked: { value: true, at: 9 },
      muted: { value: true, at: 1 }
    })
  })

  test('of two marks of the same moment both devices choose the same', () => {
    const one = marks({ nickname: { value: 'A', at: 5 }, answer: { value: 'accepted', at: 5 } })
    const other = marks({ nickname: { value: 'B', at: 5 }, answer: { value: null, at: 5 } })
    expect(mergeMarks(one, other)).toEqual(mergeMarks(other, one))
  })
})

describe('the book of marks', () => {
  test('a mark that is set again keeps its time; one set with a clock that was put back is newer all the same', async () => {
    let now = 100
    const { states } = await memoryStates()
    const book = new PersonMarksBook(states, () => now)
    const set = (nickname: string) => states.unit(unit => book.set(unit, ADA, { nickname }))
    expect(await set('A')).toEqual(['nickname'])
    now = 50
    expect(await set('A')).toEqual([])
    expect(await set('B')).toEqual(['nickname'])
    expect(book.stored(ADA)!.nickname).toEqual({ value: 'B', at: 101 })
  })

  test('what was marked is there after a restart', async () => {
    const { states } = await memoryStates()
    await states.unit(unit => new PersonMarksBook(states, () => 1).set(unit, ADA, { muted: true }))
    const later = new PersonMarksBook(states, () => 2)
    await later.load()
    expect(later.of(ADA)).toMatchObject({ muted: true, blocked: false, answer: null })
  })
})
