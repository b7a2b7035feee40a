import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runVerify } from '../../../../chain/verify/run-command.ts'
import { encodeProofFile } from '../../../../chain/verify/sources/proof-file.ts'
import { readNetworkAnswer } from '../../../../protocol/network-json.ts'
import { commandOn, jsonOn } from '../../../support/peer/run-peer.ts'
import type { TestPeer } from '../../../support/peer/test-peer.ts'
import { twoPeers, type TwoPeers } from '../../../support/peer/two-peers.ts'

let folder: string
let peers: TwoPeers
let ada: TestPeer
let file: string

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'volo-sign-'))
  file = join(folder, 'letter.txt')
  writeFileSync(file, 'Dear Charles,\n')
  peers = await twoPeers()
  ada = peers.ada
  peers.network.ledger.mine(3)
})
afterEach(async () => {
  await peers.stop()
  rmSync(folder, { recursive: true })
})

/** A proof of a person's account, as `volo-verify proof export` keeps it. */
async function proofOf({ me }: TestPeer): Promise<string> {
  const { network } = peers
  const answer: unknown = await (await network.fetch(`${network.url()}/v1/network`)).json()
  const { genesis } = readNetworkAnswer(network.crypto, answer)
  const path = join(folder, `${me.accountId.slice(0, 8)}.proof`)
  writeFileSync(path, encodeProofFile({ genesis, username: null, proof: network.ledger.proofOf(me.accountId)! }))
  return path
}

async function verify(...args: string[]): Promise<{ code: number; out: string }> {
  let out = ''
  const code = await runVerify(args, {
    out: async text => void (out += text),
    err: text => void (out += text),
    isWatched: false
  })
  return { code, out }
}

const verifySignature = async (of: TestPeer, ...more: string[]) =>
  verify('signature', file, '--by', of.me.accountId, '--proof', await proofOf(of), '--json', ...more)

const hasSshKeygen = (() => {
  try {
    execFileSync('ssh-keygen', ['-Y', 'find-principals'], { stdio: 'ignore' })
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT'
  }
})()

describe('a file that a device signed', () => {
  test('is verified with nothing but the proof of its account', async () => {
    const signed = await jsonOn(ada.engine, 'sign', file)
    expect(signed).toMatchObject({
      code: 0,
      lines: [{ signature: `${file}.sig`, accountId: ada.me.accountId, deviceId: ada.me.deviceId }]
    })
    const { code, out } = await verifySignature(ada)
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      verdict: 'verified',
      facts: { namespace: 'file', device: { deviceId: ada.me.deviceId, state: 'live' } }
    })
  })

  test('is a contradiction once it was changed, and where another person is said to have signed it', async () => {
    await commandOn(ada.engine, 'sign', file)
    expect((await verifySignature(peers.bob)).code).toBe(1)
    writeFileSync(file, 'Dear Lord Byron,\n')
    expect((await verifySignature(ada)).code).toBe(1)
    writeFileSync(`${file}.sig`, 'no signature')
    expect((await verifySignature(ada)).code).toBe(2)
  })

  test('says nothing any more once its device was removed, and that device signs no more', async () => {
    await commandOn(ada.engine, 'sign', file)
    await ada.engine.devices.revoke(ada.me.deviceId)
    peers.network.ledger.mine(3)
    expect((await verifySignature(ada)).code).toBe(4)
    expect((await commandOn(ada.engine, 'sign', file)).code).toBe(1)
  })

  test('that cannot be read is a failure with a sentence', async () => {
    const { code, stderr } = await commandOn(ada.engine, 'sign', join(folder, 'nothing'))
    expect(code).toBe(1)
    expect(stderr).toContain('cannot be read')
  })

  test.skipIf(!hasSshKeygen)('is verified by OpenSSH, with the keys that volo-verify writes', async () => {
    await commandOn(ada.engine, 'sign', file)
    const signers = join(folder, 'allowed_signers')
    const written = await verify('keys', ada.me.accountId, '--proof', await proofOf(ada), '--out', signers)
    expect(written.code).toBe(0)
    const check = (input: string): string =>
      execFileSync(
        'ssh-keygen',
        ['-Y', 'verify', '-f', signers, '-I', ada.me.accountId, '-n', 'file', '-s', `${file}.sig`],
        { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] }
      )
    expect(check(readFileSync(file, 'utf8'))).toMatch(/^Good "file" signature/)
    expect(() => check('something else')).toThrow()
  })
})

test('keys prints the live devices in the forms of other tools', async () => {
  const proof = ['--proof', await proofOf(ada)]
  const { code, out } = await verify('keys', ada.me.accountId, ...proof, '--json')
  expect(code).toBe(0)
  const { facts } = JSON.parse(out) as { facts: { keys: object[] } }
  expect(facts.keys).toEqual([expect.objectContaining({ kty: 'OKP', kid: ada.me.deviceId })])
  expect((await verify('keys', ada.me.accountId, ...proof, '--format', 'ssh')).out).toMatch(/^ *ssh-ed25519 AAAA/m)
  expect((await verify('keys', ada.me.accountId, ...proof, '--format', 'pgp')).code).toBe(2)
})
