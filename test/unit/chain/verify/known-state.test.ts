import { describe, expect, it } from 'vitest'
import { compareStates, type KnownState } from '../../../../chain/verify/checks/known-state.ts'

const hex = (byte: number): string => byte.toString(16).padStart(2, '0').repeat(32)

function stateOf(...records: [byte: number, block: number | null, confirmations: number][]): KnownState {
  return {
    schema: 'volo-verify-state/1',
    network: hex(1),
    account: hex(2),
    records: records.map(([byte, block, confirmations]) => ({
      record: hex(byte),
      kind: 'add',
      block,
      txIndex: block === null ? null : 0,
      confirmations
    }))
  }
}

const kindsOf = (known: KnownState, now: KnownState): string[] => compareStates(known, now).map(({ kind }) => kind)

describe('a known state', () => {
  it('is the same however deep it lies now', () => {
    expect(kindsOf(stateOf([3, 10, 1]), stateOf([3, 10, 500]))).toEqual([])
  })

  it('has grown when records came on top', () => {
    expect(kindsOf(stateOf([3, 10, 20]), stateOf([3, 10, 21], [4, 11, 1]))).toEqual(['grown'])
  })

  it('has moved when what was not settled is gone or elsewhere', () => {
    expect(kindsOf(stateOf([3, 10, 20], [4, 11, 2]), stateOf([3, 10, 20]))).toEqual(['moved'])
    expect(kindsOf(stateOf([3, 10, 2]), stateOf([3, 12, 1]))).toEqual(['moved'])
  })

  it('was rewritten when what was settled is gone, elsewhere, or of somebody else', () => {
    expect(kindsOf(stateOf([3, 10, 15]), stateOf())).toEqual(['rewritten'])
    expect(kindsOf(stateOf([3, 10, 15]), stateOf([3, 11, 14]))).toEqual(['rewritten'])
    expect(kindsOf(stateOf([3, 10, 15]), stateOf([9, 10, 15]))).toEqual(['rewritten'])
    expect(kindsOf(stateOf([3, 10, 1]), { ...stateOf([3, 10, 1]), account: hex(7) })).toEqual(['rewritten'])
    expect(kindsOf(stateOf([3, 10, 1]), { ...stateOf([3, 10, 1]), network: hex(7) })).toEqual(['rewritten'])
  })

  it('expects what was pending to be recorded', () => {
    expect(kindsOf(stateOf([3, null, 0]), stateOf([3, 10, 1]))).toEqual([])
  })
})
