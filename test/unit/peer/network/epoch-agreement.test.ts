import { describe, expect, test } from 'vitest'
import { isAgreed } from '../../../../peer/network/epoch-agreement.ts'
import type { NetworkInfo } from '../../../../peer/network/network-info.ts'
import { SILENT_LOG } from '../../../../peer/ports.ts'
import {
  configuredEpoch,
  type Epoch,
  type ListedNode,
  type NodeKey,
  type OperatorId
} from '../../../../protocol/wire/placement.ts'

const node = (number: number): ListedNode => ({
  key: new Uint8Array(32).fill(number) as NodeKey,
  operator: new Uint8Array(32).fill(number) as OperatorId,
  url: `https://n${number}.example`,
  link: ''
})
const listOf = (number: number, ...nodes: number[]): Epoch =>
  configuredEpoch(number, new Uint8Array(32), nodes.map(node))
const operator = (number: number): OperatorId => node(number).operator

/** Asks those of these nodes that are up; each tells the same list. */
async function agreed(inForce: Epoch, told: Epoch, up: number[], teller: number, isProven: boolean): Promise<boolean> {
  const answer = async ({ key }: ListedNode): Promise<Epoch> => {
    if (up.includes(key[0]!)) return told
    throw new Error('gone')
  }
  const sources = { overHttp: answer, overStream: async () => undefined, log: SILENT_LOG }
  return isAgreed(sources, { epoch: inForce, entry: '' } as NetworkInfo, told, operator(teller), isProven)
}

describe('a list of two operators, one of which is gone', () => {
  const inForce = listOf(0, 1, 2)

  test('is replaced by a proven one that the other and a new operator tell', async () => {
    expect(await agreed(inForce, listOf(1, 1, 3), [1, 3], 1, true)).toBe(true)
    expect(await agreed(inForce, listOf(1, 1, 3), [1, 3], 3, true)).toBe(true)
  })

  test('stays without a proof, or while one operator alone tells another', async () => {
    expect(await agreed(inForce, listOf(1, 1, 3), [1, 3], 1, false)).toBe(false)
    expect(await agreed(inForce, listOf(1, 1, 3), [1], 1, true)).toBe(false)
    expect(await agreed(inForce, listOf(1, 1), [1], 1, true)).toBe(false)
  })
})

describe('a list of one operator', () => {
  test('is replaced by its word while it stays, or by two operators of a proven list', async () => {
    const inForce = listOf(0, 1)
    expect(await agreed(inForce, listOf(1, 1, 2), [1], 1, false)).toBe(true)
    expect(await agreed(inForce, listOf(1, 2, 3), [2], 2, true)).toBe(false)
    expect(await agreed(inForce, listOf(1, 2, 3), [2, 3], 2, true)).toBe(true)
    expect(await agreed(inForce, listOf(1, 2, 3), [2, 3], 2, false)).toBe(false)
  })
})
