import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  createNetwork,
  networkFileText,
  readNetworkFile,
  type NetworkDefinition
} from '../../../../node/config/network-file.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import { MAX_NAME_TAG_MEMORY_KIB, MAX_NAME_TAG_PASSES } from '../../../../protocol/limits.ts'
import type { NodeKey, OperatorId } from '../../../../protocol/wire/placement.ts'

const folder = mkdtempSync(join(tmpdir(), 'volo-network-'))
afterAll(() => rmSync(folder, { recursive: true }))

const key = new Uint8Array(32).fill(7)
const self = { key: key as NodeKey, operator: key as Uint8Array as OperatorId, url: 'http://127.0.0.1:8787', link: '' }
const definition = createNetwork(createNodeCrypto(), [self])

function readWith(nameTagCost: { memoryKib: number; passes: number }) {
  const file = join(folder, 'network.json')
  writeFileSync(file, networkFileText({ ...definition, genesis: { ...definition.genesis, nameTagCost } }))
  return readNetworkFile(file)
}

describe('a network file', () => {
  it('comes back as it was written', () => {
    const { genesis, epochs } = definition
    expect(readWith(genesis.nameTagCost)).toEqual({ genesis, epochs })
  })

  it.each([
    'http://127.0.0.1:6667',
    'http://127.0.0.1:0',
    'https://Node.example',
    'https://node.example.',
    'https://node.example/'
  ])('lists no node at %s: no client takes it', url => {
    const file = join(folder, 'addresses.json')
    writeFileSync(file, networkFileText(createNetwork(createNodeCrypto(), [{ ...self, url }])))
    expect(() => readNetworkFile(file)).toThrow('Cannot use the network file')
  })

  it('may ask for as much work for a username as clients do, and no more', () => {
    const most = { memoryKib: MAX_NAME_TAG_MEMORY_KIB, passes: MAX_NAME_TAG_PASSES }
    expect(readWith(most).genesis.nameTagCost).toEqual(most)
    expect(() => readWith({ ...most, memoryKib: MAX_NAME_TAG_MEMORY_KIB + 1 })).toThrow('memoryKib')
    expect(() => readWith({ ...most, passes: MAX_NAME_TAG_PASSES + 1 })).toThrow('passes')
  })

  it('whose lists follow the chain holds the first list only, which genesis names', () => {
    const placement = { epochBlocks: 20, finalBlocks: 5 }
    const following = createNetwork(createNodeCrypto(), [self], placement)
    const file = join(folder, 'following.json')
    const read = (changed: NetworkDefinition) => {
      writeFileSync(file, networkFileText(changed))
      return readNetworkFile(file)
    }
    expect(read(following)).toEqual(following)
    const [first] = following.epochs
    const other = { ...self, key: new Uint8Array(32).fill(8) as NodeKey }
    expect(() => read({ ...following, epochs: [{ ...first!, nodes: [other] }] })).toThrow('firstList')
    expect(() => read({ ...following, epochs: [first!, { ...first!, number: 1 }] })).toThrow('one epoch')
    expect(() => read({ ...following, genesis: { ...following.genesis, cardanoMagic: 1 } })).toThrow('finalBlocks')
  })
})
