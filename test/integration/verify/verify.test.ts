import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import { createDirectRoster } from '../../../protocol/roster/roster.ts'
import { conversationNumber, personNumber } from '../../../protocol/conversation/safety-number.ts'
import { liveDevices } from '../../../protocol/directory/account.ts'
import { crypto, network } from '../../support/directory/cast.ts'
import { NodeServer } from '../../support/verify/node-server.ts'
import { Person, PublishedWorld } from '../../support/verify/published-world.ts'
import { checksOf, factOf, parsed, verify, verifyAsProcess, verifyText } from '../../support/verify/run-verify.ts'

let world: PublishedWorld
let ada: Person
let bob: Person
let first: NodeServer
let second: NodeServer
/** Transactions of ada's REVOKE, and of a record that came too late. */
let revokeTransaction: string
let staleTransaction: string
/** Height of the last block before the REVOKE. */
let beforeRevoke: number

beforeAll(async () => {
  world = await PublishedWorld.start()
  ada = await Person.create(world, 'ada', 3)
  bob = await Person.create(world, 'bob', 2)
  const stale = await ada.addRecord(4)
  await ada.claimName()
  beforeRevoke = (await world.source.tip()).height
  revokeTransaction = await ada.publish(await ada.revokeRecord(3))
  staleTransaction = await world.publish(stale, Uint8Array.of(0x81, 0x18, 0x63))
  await bob.claimName()
  await world.forge(2)
  const replay = await world.replay()
  first = await new NodeServer('first', replay).start()
  second = await new NodeServer('second', replay).start()
})

afterAll(async () => {
  await first?.stop()
  await second?.stop()
  await world?.stop()
})

const twoNodes = (): string[] => ['--node', first.url, '--node', second.url]
const chain = (): string[] => ['--blockfrost', world.url, '--network', world.networkFile]

describe('account', () => {
  it('is verified at L2 when two independent nodes agree', async () => {
    const run = parsed(await verifyAsProcess('account', '@ada', ...twoNodes(), '--json'))
    expect(run.json.checks.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
    expect(run.code).toBe(0)
    expect(run.json).toMatchObject({
      schema: 'volo-verify/1',
      verdict: 'verified',
      trust: { asked: 'L2', reached: 'L2' }
    })
    expect(run.json.facts['account']).toMatchObject({
      accountId: ada.id,
      username: 'ada',
      devices: [{ state: 'live' }, { state: 'live' }, { state: 'revoked', revoked: { reason: 'stolen' } }]
    })
  })

  it('is verified at L1 from one node, which says where the network parameters came from', async () => {
    const run = await verify('account', ada.id, '--node', first.url)
    expect(run.code).toBe(0)
    expect(run.json.trust).toEqual({ asked: 'L1', reached: 'L1', confirmed: false })
    expect(run.json['network']).toMatchObject({ from: `the source asked, ${new URL(first.url).host}` })
  })

  it('is verified from raw transactions of the chain, with the records that were rejected and why', async () => {
    const run = await verify('account', '@ada', ...chain())
    expect(run.code).toBe(0)
    expect(run.json.trust.reached).toBe('L1')
    expect(factOf(run, 'account', 'rejected')).toMatchObject([{ code: 'STALE' }])
  })

  it('is verified at L2 by a node and the chain together', async () => {
    const run = await verify('account', '@bob', '--node', first.url, ...chain())
    expect(run.code).toBe(0)
    expect(run.json.trust.reached).toBe('L2')
  })

  it('is a checklist for people, one line a check, with trust level and tip age', async () => {
    const { code, stdout } = await verifyAsProcess('account', '@ada', ...twoNodes())
    expect(code).toBe(0)
    expect(stdout).toMatch(/^✓ @ada: independent sources agree on every transaction, block and place$/m)
    expect(stdout).toMatch(/^✓ trust L2: /m)
    expect(stdout).toMatch(/^ {2}tip of 127\.0\.0\.1:\d+: block \d+, \d+ s (old|in the future)$/m)
    expect(stdout).toMatch(/^ {2}revoked device [0-9a-f]{32}, .*\(stolen\)$/m)
    expect(stdout).toMatch(/^VERIFIED \(exit 0\)$/m)
  })

  it('says nothing with --quiet but the exit code', async () => {
    expect(await verifyText('account', '@ada', ...twoNodes(), '--quiet')).toMatchObject({ code: 0, stdout: '' })
  })

  it('is not found, exit 4, where nobody has it', async () => {
    expect((await verify('account', '@nobody', ...twoNodes())).code).toBe(4)
    expect((await verify('account', 'ab'.repeat(32), '--node', first.url)).code).toBe(4)
    expect((await verify('account', 'ab'.repeat(32), ...chain())).code).toBe(4)
  })

  it('is unconfirmed, exit 3, below the confirmations asked for', async () => {
    const run = await verify('account', '@ada', ...twoNodes(), '--min-conf', '1000')
    expect(run.code).toBe(3)
    expect(checksOf(run, 'unconfirmed')).toEqual(['confirmations'])
  })

  it('is unconfirmed, exit 3, below the trust asked for', async () => {
    expect((await verify('account', '@ada', '--node', first.url, '--trust-level', 'L2')).code).toBe(3)
    expect((await verify('account', '@ada', ...twoNodes(), '--trust-level', 'L4')).code).toBe(3)
  })

  it('is unconfirmed, exit 3, by the same node asked twice', async () => {
    const run = await verify('account', '@ada', '--node', first.url, '--node', first.url)
    expect(run.code).toBe(3)
    expect(checksOf(run, 'unconfirmed')).toEqual(['independence'])
  })

  it('is unconfirmed, exit 3, from a source whose chain stands still', async () => {
    first.replay = await world.replay()
    const { tip } = first.replay
    Object.assign(tip, { time: tip.time - 3_600_000 })
    const run = await verify('account', '@ada', '--node', first.url)
    first.replay = second.replay
    expect(run.code).toBe(3)
    expect(checksOf(run, 'unconfirmed')).toEqual(['tip'])
  })

  it('ends with 5 where a source does not answer, even if another one does', async () => {
    expect((await verify('account', '@ada', '--node', 'http://127.0.0.1:9')).code).toBe(5)
    const run = await verify('account', '@ada', '--node', first.url, '--node', 'http://127.0.0.1:9')
    expect(run.code).toBe(5)
    expect(checksOf(run, 'unreachable')).toEqual(['source'])
    expect(
      (await verify('account', '@ada', '--blockfrost', 'http://127.0.0.1:9', '--network', world.networkFile)).code
    ).toBe(5)
  })

  it('shows the devices of an earlier block with --at-height', async () => {
    const run = await verify('account', ada.id, ...twoNodes(), '--at-height', String(beforeRevoke))
    expect(run.code).toBe(0)
    expect(factOf(run, 'account', 'devices')).toMatchObject([{ state: 'live' }, { state: 'live' }, { state: 'live' }])
    expect((await verify('account', ada.id, ...chain(), '--at-height', '1')).code).toBe(4)
    expect((await verify('account', ada.id, '--node', first.url, '--at-height', '100000')).code).toBe(3)
  })
})

describe('usage', () => {
  it('is refused with exit 2 and one sentence', async () => {
    const { code, stderr, stdout } = await verifyAsProcess('account', 'no such name!', '--node', first.url)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^volo-verify: "no such name!" is neither .*\n$/)
    expect((await verifyText('account', '@ada')).code).toBe(2)
    expect((await verifyText('account', '@ada', '--blockfrost', world.url)).code).toBe(2)
    expect((await verifyText('audit', '--node', first.url)).code).toBe(2)
    expect((await verifyText('frobnicate')).code).toBe(2)
  })

  it('is told in JSON too', async () => {
    const run = await verify('device', '@ada', 'xyz', '--node', first.url)
    expect(run.code).toBe(2)
    expect(run.json).toMatchObject({ schema: 'volo-verify/1', command: 'device', verdict: 'usage', exitCode: 2 })
  })
})

describe('device', () => {
  it('is live by its id and by its key, revoked or unknown otherwise', async () => {
    const [live, revoked] = [await ada.device(2), await ada.device(3)]
    expect((await verify('device', '@ada', toHex(live.deviceId), ...twoNodes())).code).toBe(0)
    expect((await verify('device', ada.id, toHex(live.keys.signingKey), '--node', first.url)).code).toBe(0)
    const run = await verify('device', '@ada', toHex(revoked.deviceId), ...twoNodes())
    expect(run.code).toBe(4)
    expect(checksOf(run, 'absent')).toEqual(['live'])
    const foreign = await bob.device(1)
    expect((await verify('device', '@ada', toHex(foreign.deviceId), ...twoNodes())).code).toBe(4)
  })

  it('was live before it was revoked', async () => {
    const { deviceId } = await ada.device(3)
    const run = await verify('device', '@ada', toHex(deviceId), ...chain(), '--at-height', String(beforeRevoke))
    expect(run.code).toBe(0)
  })
})

describe('record', () => {
  it('is decoded with each check', async () => {
    const run = await verify('record', `${revokeTransaction}#0`, ...chain())
    expect(run.code).toBe(0)
    expect(checksOf(run, 'passed')).toEqual(
      expect.arrayContaining(['transaction', 'encoding', 'signatures', 'accepted', 'confirmations'])
    )
    expect(run.json.facts['record']).toMatchObject({ kind: 'revoke', account: ada.id, rejected: null })
  })

  it('is confirmed by a node that is told whose it is', async () => {
    const reference = `${revokeTransaction}#0`
    const run = await verify('record', reference, ...chain(), '--node', first.url, '--account', '@ada')
    expect(run.code).toBe(0)
    expect(run.json.trust.reached).toBe('L2')
    expect((await verify('record', reference, '--node', first.url, '--account', '@bob')).code).toBe(4)
    expect((await verify('record', reference, ...chain(), '--account', bob.id)).code).toBe(1)
  })

  it('is a contradiction when the rules reject it', async () => {
    const late = await verify('record', `${staleTransaction}#0`, ...chain())
    expect(late.code).toBe(1)
    expect(late.json.checks.find(({ id }) => id === 'accepted')).toMatchObject({ outcome: 'failed', detail: 'STALE' })
    expect((await verify('record', `${staleTransaction}#1`, ...chain())).code).toBe(1)
  })

  it('is not found where there is none', async () => {
    expect((await verify('record', `${staleTransaction}#2`, ...chain())).code).toBe(4)
    expect((await verify('record', `${'00'.repeat(32)}#0`, ...chain())).code).toBe(4)
  })
})

describe('safety-number', () => {
  it('is the number of the app, from the chain', async () => {
    const members = [ada, bob].map(({ accountId }) => {
      const account = first.replay.directory.account(accountId)!
      const devices = liveDevices(account).map(({ deviceId, keys, messagingKeyHash }) => ({
        deviceId,
        signingKey: keys.signingKey,
        messagingKeyHash
      }))
      return { accountId, head: account.head, devices }
    })
    const number = conversationNumber(crypto, network, createDirectRoster(crypto, network, members))
    const run = await verify('safety-number', '@ada', '@bob', ...twoNodes(), '--expect', number)
    expect(run.code).toBe(0)
    expect(run.json.facts['safetyNumber']).toBe(number)
    const person = personNumber(crypto, network, bob.accountId)
    expect((await verify('safety-number', '@ada', '@bob', '--node', first.url, '--expect', person)).code).toBe(0)
    const wrong = number.replace(/^./, digit => String((Number(digit) + 1) % 10))
    expect((await verify('safety-number', '@ada', '@bob', '--node', first.url, '--expect', wrong)).code).toBe(1)
    expect((await verify('safety-number', '@ada', '@nobody', '--node', first.url)).code).toBe(4)
  })
})

describe('proof', () => {
  const exported = (): string => join(world.folder, 'ada.proof')

  it('is exported once verified, and checked offline', async () => {
    const written = await verify('proof', 'export', '@ada', '--out', exported(), ...twoNodes())
    expect(written.code).toBe(0)
    const run = await verify('proof', 'check', exported(), '@ada')
    expect(run.code).toBe(0)
    expect(run.json).toMatchObject({
      trust: { asked: 'L1', reached: 'L1' },
      network: { from: 'the proof file itself' }
    })
    expect((await verify('proof', 'check', exported(), '--network', world.networkFile)).code).toBe(0)
    expect((await verify('account', '@ada', '--proof', exported())).code).toBe(0)
  })

  it('is not written unless it was verified', async () => {
    const out = join(world.folder, 'none.proof')
    expect(
      (await verify('proof', 'export', '@ada', '--out', out, '--node', first.url, '--min-conf', '1000')).code
    ).toBe(3)
    expect(() => readFileSync(out)).toThrow('ENOENT')
  })

  it('is refused for anybody else than it is of', async () => {
    expect((await verify('proof', 'check', exported(), '@bob')).code).toBe(1)
    expect((await verify('proof', 'check', exported(), bob.id)).code).toBe(1)
  })

  it('is malformed, exit 2, when cut short or not a proof', async () => {
    const bytes = readFileSync(exported())
    const broken = join(world.folder, 'broken.proof')
    writeFileSync(broken, bytes.subarray(0, bytes.length - 1))
    expect((await verify('proof', 'check', broken)).code).toBe(2)
    writeFileSync(broken, 'not a proof')
    expect((await verify('proof', 'check', broken)).code).toBe(2)
    expect((await verify('proof', 'check', join(world.folder, 'missing'))).code).toBe(2)
  })
})

describe('audit', () => {
  it('replays everything and holds nodes against it', async () => {
    const run = await verify('audit', ...chain(), ...twoNodes())
    expect(run.json.checks.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
    expect(run.code).toBe(0)
    expect(run.json.facts['directory']).toMatchObject({
      accounts: 2,
      names: 2,
      rejected: { STALE: 1, UNKNOWN_KIND: 1 }
    })
  })

  it('reports only what changed from a height on', async () => {
    const run = await verify('audit', ...chain(), '--from-height', String(beforeRevoke + 1))
    expect(factOf(run, 'directory', 'changed')).toBe(3)
  })
})

describe('name', () => {
  it('tells the holder and the history of claims', async () => {
    const run = await verify('name', '@ada', ...chain(), '--node', first.url)
    expect(run.code).toBe(0)
    expect(run.json.facts['name']).toMatchObject({ holder: ada.id, claims: [{ kind: 'held' }], complete: true })
    expect((await verify('name', '@free', ...chain())).code).toBe(4)
  })
})

describe('compare', () => {
  it('holds nodes against each other on named accounts, and against the chain on all', async () => {
    expect((await verify('compare', '@ada', bob.id, '--source', first.url, '--source', second.url)).code).toBe(0)
    const run = await verify('compare', '--source', first.url, '--source', world.url)
    expect(run.code).toBe(0)
    expect(run.json.trust.reached).toBe('L2')
  })

  it('is never verified by two nodes when no account is named', async () => {
    expect((await verify('compare', ...twoNodes())).code).toBe(3)
  })
})

describe('doctor', () => {
  it('finds sources and machine in order', async () => {
    const run = await verify('doctor', ...chain(), ...twoNodes())
    expect(run.json.checks.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
    expect(run.code).toBe(0)
  })

  it('notices a chain of another network', async () => {
    const other = join(world.folder, 'other.json')
    const file = JSON.parse(readFileSync(world.networkFile, 'utf8')) as { genesis: { cardanoMagic: number } }
    file.genesis.cardanoMagic = 1
    writeFileSync(other, JSON.stringify(file))
    expect((await verify('doctor', '--blockfrost', world.url, '--network', other)).code).toBe(1)
    expect((await verify('doctor', '--node', first.url, '--network', other)).code).toBe(1)
  })
})

describe('monitor', () => {
  it('alerts when records change, until the change is accepted', async () => {
    const state = join(world.folder, 'bob.state')
    const look = (...more: string[]) => verify('monitor', '@bob', '--once', '--state', state, ...twoNodes(), ...more)
    expect((await look()).code).toBe(0)
    expect((await look()).code).toBe(0)
    await bob.publish(await bob.addRecord(3))
    first.replay = second.replay = await world.replay()
    const changed = await look()
    expect(changed.code).toBe(3)
    expect(changed.json.facts['changes']).toMatchObject([{ kind: 'grown' }])
    expect((await look()).code).toBe(3)
    expect((await look('--accept')).code).toBe(0)
    expect((await look()).code).toBe(0)
  })

  it('alerts when a known record is rolled back', async () => {
    const state = join(world.folder, 'bob.state')
    await world.control('rollback', { depth: 1, drop: true })
    await world.forge()
    first.replay = second.replay = await world.replay()
    const run = await verify('monitor', '@bob', '--once', '--state', state, ...twoNodes())
    expect(run.code).toBe(3)
    expect(run.json.facts['changes']).toMatchObject([{ kind: 'moved' }])
  })

  it('goes on looking until it is told to stop', async () => {
    const { CommandProcess } = await import('../../support/network/real-processes/node-process.ts')
    const args = ['monitor', '@ada', '--interval', '1', '--node', first.url, '--json']
    const command = new CommandProcess('chain/verify/main.ts', args)
    await command.printed(/"verdict":"verified"/)
    await ada.publish(await ada.addRecord(5))
    first.replay = await world.replay()
    await command.printed(/"verdict":"unconfirmed"/)
    const { code } = await command.stop('SIGINT')
    expect(code).toBe(3)
  })
})
