import { describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import {
  epochToJson,
  genesisToJson,
  readEpoch,
  readGenesis,
  readNetworkAnswer
} from '../../../protocol/network-json.ts'
import { configuredEpoch, type Epoch, type NodeKey, type OperatorId } from '../../../protocol/wire/placement.ts'
import { crypto, genesis, network } from '../../support/directory/cast.ts'

const key = new Uint8Array(32).fill(7)
const node = { key: key as NodeKey, operator: key as Uint8Array as OperatorId, url: 'https://node.example', link: '' }
const epoch: Epoch = configuredEpoch(3, new Uint8Array(32).fill(1), [node])
const placement = { epochBlocks: 20, finalBlocks: 5, firstList: new Uint8Array(32).fill(2) }
const overText = (json: unknown): unknown => JSON.parse(JSON.stringify(json)) as unknown
const epochWith = (changes: object) => ({
  ...epochToJson(epoch),
  nodes: [{ ...epochToJson(epoch).nodes[0], ...changes }]
})
const malformed = (text: string) =>
  expect.objectContaining({ code: 'MALFORMED', message: expect.stringContaining(text) })

describe('the JSON of a network', () => {
  it.each([true, false])('comes back as it was written (strict: %s)', isStrict => {
    expect(readGenesis(overText(genesisToJson(genesis)), { isStrict })).toEqual(genesis)
    const following = { ...genesis, placement }
    expect(readGenesis(overText(genesisToJson(following)), { isStrict })).toEqual(following)
    expect(readEpoch(overText(epochToJson(epoch)), { isStrict })).toEqual(epoch)
  })

  it('says which field is wrong', () => {
    const json = genesisToJson(genesis)
    expect(() => readGenesis({ ...json, nameSalt: 'AB'.repeat(16) })).toThrow(malformed('"genesis.nameSalt"'))
    expect(() => readGenesis({ ...json, shardCount: 0 })).toThrow(malformed('"genesis.shardCount"'))
    expect(() => readGenesis({ ...json, placement: { ...placement, firstList: 'ab' } })).toThrow(malformed('firstList'))
    expect(() => readEpoch({ ...epochToJson(epoch), nodes: [] })).toThrow(malformed('"epoch.nodes"'))
    expect(() => readEpoch(epochWith({ url: 'ftp://node.example' }))).toThrow(malformed('"epoch.nodes.url"'))
    expect(() => readEpoch(epochWith({ key: key.length }))).toThrow(malformed('"epoch.nodes.key"'))
  })

  it('may hold fields of a later version, but not in a file that an operator writes', () => {
    const isStrict = true
    expect(readEpoch(epochWith({ region: 'north' }))).toEqual(epoch)
    expect(() => readEpoch(epochWith({ region: 'north' }), { isStrict })).toThrow(malformed('region'))
    expect(() => readGenesis({ ...genesisToJson(genesis), shards: 4 }, { isStrict })).toThrow(malformed('shards'))
    expect(readEpoch(epochWith({ link: undefined }))).toEqual(epoch)
    expect(() => readEpoch(epochWith({ link: undefined }), { isStrict })).toThrow(malformed('"epoch.nodes.link"'))
    expect(() => readEpoch(epochWith({ url: 'https://node.example/path' }), { isStrict })).toThrow(malformed('origin'))
  })

  it('names a network by its genesis, so that a node cannot give another genesis under the same name', () => {
    const answer = {
      networkId: toHex(network),
      genesis: genesisToJson(genesis),
      epoch: epochToJson(epoch),
      chain: { label: 'preprod', emulated: false }
    }
    const { id, node: self, chain } = readNetworkAnswer(crypto, overText({ ...answer, node: toHex(key) }))
    expect({ id, self, chain }).toEqual({ id: network, self: key, chain: answer.chain })
    expect(readNetworkAnswer(crypto, overText(answer)).node).toBeUndefined()
    const changed = { ...answer, genesis: { ...answer.genesis, nameSalt: 'ab'.repeat(16) } }
    expect(() => readNetworkAnswer(crypto, changed)).toThrow(expect.objectContaining({ code: 'INVALID' }))
  })
})
