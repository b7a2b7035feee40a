import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import { encodeProof } from '../../../protocol/directory/proofs/proof.ts'
import { decodeProofFile, encodeProofFile } from '../../../chain/verify/sources/proof-file.ts'
import { genesis } from '../../support/directory/cast.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { ChainProxy } from '../../support/verify/chain-proxy.ts'
import { cborAnswer, jsonAnswer, NodeServer } from '../../support/verify/node-server.ts'
import { Person, PublishedWorld } from '../../support/verify/published-world.ts'
import { checksOf, verify, verifyText, type VerifyRun } from '../../support/verify/run-verify.ts'

let world: PublishedWorld
let ada: Person
let bob: Person
let node: NodeServer
let other: NodeServer
let proxy: ChainProxy
/** Transactions under the label, in order. */
let transactions: string[]

beforeAll(async () => {
  world = await PublishedWorld.start()
  ada = await Person.create(world, 'ada', 3)
  bob = await Person.create(world, 'bob', 2)
  await ada.claimName()
  await ada.publish(await ada.revokeRecord(3))
  // Deep enough for a missing record to be no delay.
  await world.forge(20)
  const replay = await world.replay()
  transactions = [...replay.transactions()].map(({ id }) => id)
  node = await new NodeServer('one', replay).start()
  other = await new NodeServer('two', replay).start()
  proxy = await new ChainProxy(world.url).start()
})

afterAll(async () => {
  await Promise.all([node?.stop(), other?.stop(), proxy?.stop()])
  await world?.stop()
})

afterEach(() => {
  node.lie = undefined
  proxy.lie = undefined
})

const failureOf = ({ json }: VerifyRun): string | undefined =>
  json.checks.find(({ outcome }) => outcome === 'failed' || outcome === 'unreachable')?.detail

describe('a hostile node', () => {
  const ask = (): Promise<VerifyRun> => verify('account', ada.id, '--node', node.url)

  it('is cut off when its answer has no end', async () => {
    node.lie = (path, honest, response) => {
      if (!path.includes('/v1/network')) return honest
      response.writeHead(200, { 'content-type': 'application/json' })
      const chunk = Buffer.alloc(65_536, ' ')
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
      return undefined
    }
    const run = await ask()
    expect(run.code).toBe(1)
    expect(failureOf(run)).toMatch(/more than \d+ bytes/)
  })

  it('is unreachable when it is no node, redirects, or says 500', async () => {
    node.lie = path => ({ status: 200, type: 'text/html', body: `<html>${path}` })
    expect((await ask()).code).toBe(5)
    node.lie = (_path, _honest, response) => {
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
      return undefined
    }
    expect((await ask()).code).toBe(5)
    node.lie = (path, honest) => (path.includes('proof') ? { status: 500, type: 'text/plain', body: 'oops' } : honest)
    expect((await ask()).code).toBe(5)
  })

  it('is asked again when it is only busy', async () => {
    let refusals = 2
    node.lie = (_path, honest) =>
      refusals-- > 0 ? jsonAnswer({ error: 'rate-limited', message: 'Too many requests.' }, 429) : honest
    expect((await ask()).code).toBe(0)
  })

  it('is no account missing when a web server, not a node, answers 404', async () => {
    node.lie = (path, honest) => (path.includes('proof') ? { status: 404, type: 'text/html', body: 'no page' } : honest)
    expect((await ask()).code).toBe(5)
  })

  it('cannot make this machine hash a name without end', async () => {
    node.lie = (path, honest) => {
      if (path !== '/v1/network') return honest
      const facts = node.describe() as { genesis: { nameTagCost: object } }
      facts.genesis.nameTagCost = { memoryKib: 4_000_000, passes: 1_000_000 }
      return jsonAnswer(facts)
    }
    const run = await verify('account', '@ada', '--node', node.url)
    expect(run.code).toBe(1)
    expect(failureOf(run)).toContain('nameTagCost')
  })

  it('cannot drive the terminal', async () => {
    node.lie = (path, honest) =>
      path.includes('proof')
        ? jsonAnswer({ error: 'busy', message: '\u001b]0;owned\u0007\u001b[2J\n✓ all is well' }, 500)
        : honest
    const { stdout } = await verifyText('account', ada.id, '--node', node.url)
    expect(stdout).not.toContain('\u001b')
    expect(stdout).not.toMatch(/^✓ all is well/m)
  })

  it('is found out by another one when it withholds what is settled', async () => {
    node.lie = (path, honest) => {
      if (!path.includes(ada.id)) return honest
      const proof = node.replay.proof(ada.accountId)!
      return cborAnswer(encodeProof({ ...proof, transactions: proof.transactions.slice(0, -1) }))
    }
    const revoked = toHex((await ada.device(3)).deviceId)
    const run = await verify('device', ada.id, revoked, '--node', node.url, '--node', other.url)
    expect(run.code).toBe(1)
    expect(checksOf(run, 'failed')).toEqual(['agreement'])
    const audit = await verify('audit', '--blockfrost', world.url, '--network', world.networkFile, '--node', node.url)
    expect(audit.code).toBe(1)
    expect(failureOf(audit)).toContain(ada.id)
  })

  it('is found out by an audit when it gives a name to somebody else', async () => {
    node.lie = (path, honest) => {
      if (!path.startsWith('/v1/names/')) return honest
      const { matches } = JSON.parse(honest.body as string) as { matches: object[] }
      return jsonAnswer({ matches: matches.map(match => ({ ...match, accountId: bob.id })), complete: true })
    }
    const run = await verify('audit', '--blockfrost', world.url, '--network', world.networkFile, '--node', node.url)
    expect(run.code).toBe(1)
    const named = await verify('account', '@ada', '--node', node.url)
    expect(named.code).toBe(1)
    expect(failureOf(named)).toMatch(/do not claim the name/)
  })

  it('is given up when it never finishes a sentence', async () => {
    const sockets: import('node:net').Socket[] = []
    const silent: Server = createServer(socket => void sockets.push(socket.on('error', () => undefined)))
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as { port: number }
    const run = await verify('account', ada.id, '--node', `http://127.0.0.1:${port}`)
    for (const socket of sockets) socket.destroy()
    silent.close()
    expect(run.code).toBe(5)
    expect(failureOf(run)).toMatch(/no answer in 15 s/)
  })
})

describe('a hostile Blockfrost server', () => {
  const ask = (...more: string[]): Promise<VerifyRun> =>
    verify('account', ada.id, '--blockfrost', proxy.url, '--network', world.networkFile, ...more)

  it('is no different from an honest one while it is honest', async () => {
    expect((await ask()).code).toBe(0)
    const both = ['--source', proxy.url, '--source', world.url, '--network', world.networkFile]
    const run = await verify('compare', ...both)
    expect(run.code).toBe(0)
    expect(run.json.trust.reached).toBe('L2')
  })

  it('cannot send another transaction than the one listed', async () => {
    let last: unknown
    proxy.lie = (path, json) => {
      if (!path.endsWith('/cbor') || !path.startsWith('/txs/')) return json
      const answer = last ?? json
      last = json
      return answer
    }
    const run = await ask()
    expect(run.code).toBe(1)
    expect(failureOf(run)).toMatch(/another transaction/)
  })

  it('cannot list transactions in another order', async () => {
    proxy.lie = (path, json) => (path.includes('/metadata/txs/labels/') ? (json as unknown[]).toReversed() : json)
    expect((await ask()).code).toBe(1)
  })

  describe('whose list has a flaw', () => {
    type Rows = { tx_hash: string }[]
    /** Changes the answers to requests for the list from its oldest end. */
    const fromOldest =
      (change: (rows: Rows, page: number) => Rows) =>
      (path: string, json: unknown): unknown => {
        const { pathname, searchParams } = new URL(path, proxy.url)
        const isList = pathname.includes('/metadata/txs/labels/') && searchParams.get('order') !== 'desc'
        return isList ? change(json as Rows, Number(searchParams.get('page') ?? 1)) : json
      }

    it('once is read again: nobody is told that a removed device counts', async () => {
      let left = 1
      proxy.lie = fromOldest(rows => (left-- > 0 ? rows.slice(0, -1) : rows))
      const run = await verify(
        'device',
        ada.id,
        toHex((await ada.device(3)).deviceId),
        '--blockfrost',
        proxy.url,
        '--network',
        world.networkFile
      )
      expect(run.code).toBe(4)
    })

    it('is not taken for whole when a page is short for good', async () => {
      proxy.lie = fromOldest(rows => rows.slice(0, -1))
      const run = await ask()
      expect(run.code).toBe(1)
      expect(failureOf(run)).toMatch(/ends before transaction/)
    })

    it('is not taken for whole when a short page has another page after it', async () => {
      let all: Rows = []
      proxy.lie = fromOldest((rows, page) => {
        if (page === 1) all = rows
        return page === 1 ? rows.slice(0, 3) : page === 2 ? all.slice(3) : rows
      })
      const run = await ask()
      expect(run.code).toBe(1)
      expect(failureOf(run)).toMatch(/page 1 of its list is short, and page 2 goes on/)
    })

    it('is a contradiction when a transaction comes twice', async () => {
      proxy.lie = fromOldest(rows => [...rows.slice(0, 2), ...rows.slice(1)])
      expect(failureOf(await ask())).toMatch(/twice/)
    })
  })

  it('is not believed alone when it withholds, once a second source is asked', async () => {
    proxy.lie = (path, json) =>
      path.includes('/metadata/txs/labels/')
        ? (json as { tx_hash: string }[]).filter(({ tx_hash }) => tx_hash !== transactions.at(-1))
        : json
    expect((await ask()).json.trust).toMatchObject({ reached: 'L1', confirmed: false })
    const run = await ask('--node', node.url)
    expect(run.code).toBe(1)
    expect(checksOf(run, 'failed')).toEqual(['agreement'])
    const both = ['--source', proxy.url, '--source', world.url, '--network', world.networkFile]
    expect((await verify('compare', ...both)).code).toBe(1)
  })

  it('cannot move a transaction to another place unnoticed', async () => {
    proxy.lie = (path, json) => (path === `/txs/${transactions[0]}` ? { ...(json as object), index: 7 } : json)
    const run = await ask('--node', node.url)
    expect(run.code).toBe(1)
    expect(failureOf(run)).toMatch(/other transactions or blocks/)
  })

  it('is unconfirmed when its chain never stands still', async () => {
    proxy.lie = (path, json) => (/^\/blocks\/\d+$/.test(path) ? { ...(json as object), hash: 'ab'.repeat(32) } : json)
    const run = await ask()
    expect(run.code).toBe(3)
    expect(run.json.checks.some(({ detail }) => detail?.includes('changed while it was read'))).toBe(true)
  })

  it('is a contradiction when its answers are malformed, and cut off when they have no end', async () => {
    proxy.lie = (path, json) =>
      path.startsWith('/txs/') ? { ...(json as object), block_height: 'high', cbor: 'zz' } : json
    expect((await ask()).code).toBe(1)
    proxy.lie = (path, json, response) => {
      if (!path.includes('/metadata/txs/labels/')) return json
      response.writeHead(200, { 'content-type': 'application/json' })
      const chunk = Buffer.alloc(1_048_576, ' ')
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
      return undefined
    }
    expect([1, 5]).toContain((await ask()).code)
  })
})

describe('a hostile proof file', () => {
  const file = (): string => join(world.folder, 'hostile.proof')
  const honest = (): Uint8Array =>
    encodeProofFile({
      genesis,
      username: 'ada',
      proof: encodeProof(node.replay.proof(ada.accountId)!)
    })

  it('is refused when another name, or another person, was put into it', async () => {
    const parts = { genesis }
    const proofOf = (person: Person): Uint8Array => encodeProof(node.replay.proof(person.accountId)!)
    writeFileSync(file(), encodeProofFile({ ...parts, username: 'bob', proof: proofOf(ada) }))
    expect((await verify('proof', 'check', file())).code).toBe(1)
    writeFileSync(file(), encodeProofFile({ ...parts, username: 'ada', proof: proofOf(bob) }))
    expect((await verify('proof', 'check', file())).code).toBe(1)
    const stranger = { ...node.replay.proof(bob.accountId)!, accountId: ada.accountId }
    writeFileSync(file(), encodeProofFile({ ...parts, username: 'ada', proof: encodeProof(stranger) }))
    expect((await verify('proof', 'check', file(), ada.id)).code).toBe(1)
  })

  it('is held against the network that was meant', async () => {
    const proof = encodeProof(node.replay.proof(ada.accountId)!)
    const parts = { format: 'volo/proof-file', version: 1, username: 'ada', proof } as const
    writeFileSync(file(), encodeProofFile({ ...parts, genesis: { ...genesis, metadataLabel: 86_071 } }))
    expect((await verify('proof', 'check', file())).code).toBe(1)
    expect((await verify('proof', 'check', file(), '--network', world.networkFile)).code).toBe(1)
  })

  it('may be the bare proof of a node, given the network', async () => {
    writeFileSync(file(), encodeProof(node.replay.proof(ada.accountId)!))
    expect((await verify('proof', 'check', file(), ada.id)).code).toBe(2)
    expect((await verify('proof', 'check', file(), ada.id, '--network', world.networkFile)).code).toBe(0)
  })

  it('never crashes the reader, whatever bits flip', () => {
    const random = new SeededRandom(5)
    const bytes = honest()
    for (let i = 0; i < 2_000; i++) {
      const broken = Uint8Array.from(bytes)
      for (let flips = 1 + random.below(4); flips > 0; flips--)
        broken[random.below(broken.length)]! ^= 1 << random.below(8)
      const cut = random.chance(0.2) ? broken.subarray(0, random.below(broken.length)) : broken
      try {
        decodeProofFile(cut)
      } catch (error) {
        expect(error).toMatchObject({ name: 'VerifyError', code: 'MALFORMED' })
      }
    }
  })

  it('is left alone: checking writes nothing', async () => {
    writeFileSync(file(), honest())
    expect((await verify('proof', 'check', file(), '@ada')).code).toBe(0)
    expect(new Uint8Array(readFileSync(file()))).toEqual(honest())
  })
})
