import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runVerify } from '../../../../chain/verify/run-command.ts'
import { wellKnownRoutes } from '../../../../node/http/well-known-routes.ts'
import { HttpServer } from '../../../../node/http/http-server.ts'
import { NameProofs, NAMES_PER_MINUTE } from '../../../../node/key-directory/name-proofs.ts'
import { toHex } from '../../../../protocol/bytes.ts'
import { readNetworkAnswer } from '../../../../protocol/network-json.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { silentLogger } from '../../../support/silent-logger.ts'
import { eventually } from '../../../support/wait-for.ts'

const folder = mkdtempSync(join(tmpdir(), 'volo-well-known-'))
const ada = { id: '' }
let server: HttpServer
let url: string

/** Ada's account with a name that the blocks have, behind a real server. */
beforeAll(async () => {
  const network = await FakeNetwork.create(1)
  const peer = new TestPeer(network)
  peer.speed = 20
  ada.id = (await peer.register('ada')).accountId
  network.ledger.mine()
  await eventually(() => network.ledger.recordsOf(ada.id).length === 1, 'the name is told')
  network.ledger.mine(3, { empty: true })
  network.ledger.mine()
  await peer.engine.stop()
  const answer: unknown = await (await network.fetch(`${network.url()}/v1/network`)).json()
  const { genesis } = readNetworkAnswer(network.crypto, answer)
  const directory = {
    names: async (tag: Uint8Array) => {
      const matches = await network.ledger.names(tag)
      return { matches: matches.map(match => ({ ...match, state: 'recorded' as const })), complete: true }
    },
    accountProof: async (accountId: Uint8Array) => network.ledger.proofOf(toHex(accountId))
  }
  const names = new NameProofs(
    { clock: () => Date.now(), directory, crypto: network.crypto },
    { network: network.id, genesis }
  )
  const epoch = () => ({ number: 0, seed: new Uint8Array(32), nodes: [], nodeSeeds: [] })
  const init = { version: '0', trustProxy: false, requestsPerMinute: 1e6, overTls: false, epoch }
  server = new HttpServer({ logger: silentLogger }, init)
  await server.prepare()
  await server.addLimited(app => wellKnownRoutes(app, names))
  url = `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}/.well-known/volo`
})
afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

describe('/.well-known/volo/NAME.json', () => {
  test('says who has a name, with a proof that volo-verify takes without any network', async () => {
    const answer = (await (await fetch(`${url}/ada.json`)).json()) as { accountId: string; proof: string }
    expect(answer).toMatchObject({ username: 'ada', accountId: ada.id })
    const file = join(folder, 'ada.proof')
    writeFileSync(file, Buffer.from(answer.proof, 'base64'))
    const check = (name: string): Promise<number> =>
      runVerify(['proof', 'check', file, name, '--quiet'], { out: async () => {}, err: () => {}, isWatched: false })
    expect(await check('@ada')).toBe(0)
    expect(await check('@bob')).not.toBe(0)
  })

  test.each(['/nobody_here.json', '/ab.json', '/ADA.json', '/ada', '/..%2fada.json', '/ada.json.json'])(
    'answers %s with an error and no name',
    async path => {
      expect((await fetch(url + path)).status).toBeGreaterThanOrEqual(400)
    }
  )

  test('is limited for each address: a tag costs a tenth of a second', async () => {
    const statuses: number[] = []
    for (let i = 0; i <= NAMES_PER_MINUTE; i++) statuses.push((await fetch(`${url}/name${i}.json`)).status)
    expect(statuses).toContain(429)
  })
})
