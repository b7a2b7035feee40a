import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runVerify } from '../../../../chain/verify/run-command.ts'
import { toHex } from '../../../../protocol/bytes.ts'
import type { SigningKey } from '../../../../protocol/crypto/crypto.ts'
import { epochToJson, genesisToJson } from '../../../../protocol/network-json.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import { complaintText } from '../../../../protocol/wire/complaint-file.ts'
import { configuredEpoch, configuredSeed, type NodeKey, type OperatorId } from '../../../../protocol/wire/placement.ts'
import { brokenPromise, newKey } from '../../../support/complaints/broken-promise.ts'
import { crypto, genesis, network, random } from '../../../support/network/in-process/fixtures.ts'

const folder = mkdtempSync(join(tmpdir(), 'volo-complaint-'))
let honest: SigningKey
let broken: SigningKey
let server: Server
let url: string
let published: string[]

async function verify(
  ...args: string[]
): Promise<{ code: number; json: { facts: Record<string, unknown> }; out: string }> {
  let out = ''
  const terminal = { out: async (text: string) => void (out += text), err: () => undefined, isWatched: false }
  const code = await runVerify(args, terminal)
  return {
    code,
    out,
    json: args.includes('--json') ? (JSON.parse(out) as { facts: Record<string, unknown> }) : { facts: {} }
  }
}

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

beforeAll(async () => {
  ;[honest, broken] = [await newKey(), await newKey()]
  const nodes = [honest, broken].map(({ publicKey }, index) => ({
    key: publicKey as NodeKey,
    operator: crypto.sha256(publicKey) as Uint8Array as OperatorId,
    url: `https://${index}.example`,
    link: `/ip4/127.0.0.1/tcp/${index + 1}`
  }))
  const epoch = configuredEpoch(0, configuredSeed(crypto, nodes), nodes)
  const facts = {
    networkId: toHex(network),
    genesis: genesisToJson(genesis),
    epoch: epochToJson(epoch),
    node: toHex(honest.publicKey),
    chain: { label: 'test', emulated: true },
    version: '0'
  }
  published = await Promise.all(
    Array.from({ length: 5 }, async () => complaintText(await brokenPromise({ key: broken })))
  )
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://node')
    response.setHeader('content-type', 'application/json')
    const from = Number(searchParams.get('after') ?? 0)
    const next = from + 2 < published.length ? String(from + 2) : null
    const page = { complaints: published.slice(from, from + 2), next }
    response.end(JSON.stringify(pathname === '/v1/network' ? facts : page))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(() => {
  server.close()
  server.closeAllConnections()
  rmSync(folder, { recursive: true })
})

describe('volo-verify complaint', () => {
  it('ends with 0 for one that holds, and says so', async () => {
    const path = file('holds.json', complaintText(await brokenPromise({ key: broken })))
    const { code, json } = await verify('complaint', path, '--json')
    expect(code).toBe(0)
    expect(json.facts).toMatchObject({ holds: true, fault: null, node: toHex(broken.publicKey), reason: 'unknown' })
    expect((await verify('complaint', path)).out).toContain('it broke its promise')
  })

  it('ends with 1 and a sentence for one that does not, whatever is wrong with it', async () => {
    const texts = {
      allowed: complaintText(await brokenPromise({ denial: { reason: 'evicted' } })),
      'denial-not-signed': complaintText(await brokenPromise({ denialKey: await newKey() })),
      malformed: '{"format":"volo-complaint"}'
    }
    for (const [fault, text] of Object.entries(texts)) {
      const { code, json } = await verify('complaint', file(`${fault}.json`, text), '--json')
      expect([code, json.facts]).toMatchObject([
        1,
        { holds: false, fault, sentence: expect.stringMatching(/\.$/) as string }
      ])
    }
  })

  it('refuses one of another network than the one that is meant', async () => {
    const networkFile = file('network.json', JSON.stringify({ genesis: genesisToJson(genesis) }))
    const own = file('own.json', complaintText(await brokenPromise()))
    const foreign = file('foreign.json', complaintText(await brokenPromise({ network: random(32) as NetworkId })))
    expect((await verify('complaint', own, '--network', networkFile)).code).toBe(0)
    expect((await verify('complaint', foreign)).code).toBe(0)
    const { code, json } = await verify('complaint', foreign, '--network', networkFile, '--json')
    expect([code, json.facts['fault']]).toEqual([1, 'wrong-network'])
  })

  it('ends with 2 for a file that is not there, and for sources that it would not ask', async () => {
    expect((await verify('complaint', join(folder, 'none.json'))).code).toBe(2)
    expect((await verify('complaint', join(folder, 'own.json'), '--node', url)).code).toBe(2)
  })
})

describe('volo-verify nodes', () => {
  it('counts every published complaint once, by operator', async () => {
    const { code, json } = await verify('nodes', file('again.json', published[0]!), '--node', url, '--json')
    expect(code).toBe(0)
    expect(json.facts).toMatchObject({
      complaints: 5,
      rejected: 0,
      operators: [
        { operator: toHex(crypto.sha256(broken.publicKey)), nodes: [toHex(broken.publicKey)], broken: 5 },
        { operator: toHex(crypto.sha256(honest.publicKey)), broken: 0, firstAt: null }
      ]
    })
  })

  it('counts nothing that does not hold, and ends with 1 if a node publishes such', async () => {
    published.push(complaintText(await brokenPromise({ key: honest, denial: { reason: 'evicted' } })))
    const { code, json } = await verify('nodes', '--node', url, '--json')
    published.pop()
    expect(code).toBe(1)
    expect(json.facts).toMatchObject({ complaints: 5, rejected: 1 })
  })
})

describe('volo-verify --version', () => {
  it('prints the version alone', async () => {
    expect(await verify('--version')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string
    })
  })
})
