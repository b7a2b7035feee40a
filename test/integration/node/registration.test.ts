import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { equalBytes, fromHex, toHex } from '../../../protocol/bytes.ts'
import { checkProof, decodeProof, type CheckedProof } from '../../../protocol/directory/proofs/proof.ts'
import { decodeAttestation, deviceKeyHash, verifyAttestation } from '../../../protocol/identity/attestation.ts'
import { buildCreate } from '../../../protocol/identity/build-record.ts'
import { encodeRecord, recordIdOf } from '../../../protocol/identity/record.ts'
import { NodeProcess, temporaryFolder } from '../../support/network/real-processes/node-process.ts'
import {
  challenge,
  CookieJar,
  crypto,
  demoSignIn,
  nodeFacts,
  postRegistration,
  registerDevice,
  signInCode,
  startSignIn,
  TestDevice,
  type NodeFacts
} from '../../support/sign-in.ts'

const dataDir = temporaryFolder()
let node: NodeProcess
let facts: NodeFacts

beforeAll(async () => {
  node = await NodeProcess.start({ dataDir, env: { VOLO_REGISTRATIONS_PER_IDENTITY_PER_DAY: '2' } })
  facts = await nodeFacts(node.url)
})

afterAll(async () => {
  await node.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

const newDevice = () => TestDevice.make(facts)

async function signedIn(device: TestDevice, login = `person-${toHex(device.deviceId)}`): Promise<string> {
  return signInCode(node.url, device.keys, login)
}

async function refused(answer: Response): Promise<[number, string]> {
  const { error, message } = (await answer.json()) as { error: string; message: string }
  expect(message).toMatch(/\w+/)
  return [answer.status, error]
}

async function proofOf(device: TestDevice): Promise<CheckedProof> {
  const answer = await fetch(`${node.url}/v1/accounts/${toHex(device.accountId)}/proof`)
  expect(answer.headers.get('content-type')).toBe('application/cbor')
  const proof = decodeProof(new Uint8Array(await answer.arrayBuffer()))
  return checkProof(crypto, facts.network, 86_070, device.accountId, proof)
}

/** Asks whether a code is good for the device. */
function checkCode(device: TestDevice, code: string): Promise<Response> {
  const { signingKey, messagingKeyHash } = device.keys
  return fetch(`${node.url}/v1/auth/codes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code, signingKey: toHex(signingKey), messagingKeyHash: toHex(messagingKeyHash) })
  })
}

describe('a sign-in code', () => {
  it('is told to be good, with the name at the provider, to its own device, and stays good', async () => {
    const [device, other] = [await newDevice(), await newDevice()]
    const code = await signedIn(device, 'Ada.L')
    expect(await refused(await checkCode(other, code))).toEqual([403, 'bad-code'])
    expect(await refused(await checkCode(device, 'junk'))).toEqual([403, 'bad-code'])
    const answer = await checkCode(device, code)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await answer.json()).toEqual({ suggestedName: 'Ada.L' })
    expect((await checkCode(device, code)).status).toBe(200)
    const registration = await device.registration(await challenge(node.url), code)
    expect((await postRegistration(node.url, registration)).status).toBe(201)
    expect(await refused(await checkCode(device, code))).toEqual([403, 'bad-code'])
  })
})

describe('registration', () => {
  it('makes an account that is known at once and recorded on the chain soon after', async () => {
    const device = await newDevice()
    const code = await signedIn(device, 'ada')
    const nameCommit = await device.nameCommit(crypto.sha256(new Uint8Array(1)), new Uint8Array(32))
    const body = await device.registration(await challenge(node.url), code, { nameCommit })
    const answer = await postRegistration(node.url, body)
    expect(answer.status).toBe(201)
    const told = (await answer.json()) as Record<string, string>
    expect(told).toMatchObject({
      accountId: toHex(device.accountId),
      deviceId: toHex(device.deviceId),
      records: 'pending'
    })

    const attestation = decodeAttestation(fromHex(told['attestation']!))
    await verifyAttestation(crypto, facts.network, attestation)
    expect(attestation.provider).toBe('demo')
    expect(equalBytes(attestation.nodeKey, facts.nodeKey)).toBe(true)
    expect(equalBytes(attestation.deviceKeyHash, deviceKeyHash(crypto, facts.network, device.keys))).toBe(true)

    expect(await proofOf(device)).toMatchObject({ pendingCount: 2 })
    await expect.poll(async () => (await proofOf(device)).pendingCount, { timeout: 60_000, interval: 300 }).toBe(0)
    expect((await proofOf(device)).account.commitments).toHaveLength(1)
  })

  it('answers a client that lost the answer the same again', async () => {
    const device = await registerDevice(node.url, 'lost')
    const again = await postRegistration(node.url, await device.registration(await challenge(node.url), 'used up'))
    expect(again.status).toBe(201)
  })

  it('refuses a nonce that is used, made up, or was spent on a bad attempt', async () => {
    const device = await newDevice()
    const code = await signedIn(device)
    const nonce = await challenge(node.url)
    const broken = await device.registration(nonce, code, { signature: new Uint8Array(64) })
    expect(await refused(await postRegistration(node.url, broken))).toEqual([403, 'bad-signature'])
    expect(await refused(await postRegistration(node.url, await device.registration(nonce, code)))).toEqual([
      403,
      'bad-nonce'
    ])
    const invented = await device.registration('00'.repeat(32), code)
    expect(await refused(await postRegistration(node.url, invented))).toEqual([403, 'bad-nonce'])
    const good = await device.registration(await challenge(node.url), code)
    expect((await postRegistration(node.url, good)).status).toBe(201)
    expect(await refused(await postRegistration(node.url, good))).toEqual([403, 'bad-nonce'])
  })

  it('refuses a code that was used, made up, or belongs to another device, which can still use it', async () => {
    const [ada, thief] = [await newDevice(), await newDevice()]
    const code = await signedIn(ada)
    const stolen = await thief.registration(await challenge(node.url), code)
    expect(await refused(await postRegistration(node.url, stolen))).toEqual([403, 'bad-code'])
    const invented = await thief.registration(await challenge(node.url), 'invented')
    expect(await refused(await postRegistration(node.url, invented))).toEqual([403, 'bad-code'])
    const none = await thief.registration(await challenge(node.url), '')
    expect(await refused(await postRegistration(node.url, none))).toEqual([403, 'bad-code'])
    expect((await postRegistration(node.url, await ada.registration(await challenge(node.url), code))).status).toBe(201)
  })

  it('refuses whatever is not signed by the device, or does not belong together', async () => {
    const [device, other] = [await newDevice(), await newDevice()]
    const code = await signedIn(device)
    const attempts: [Parameters<TestDevice['registration']>[2], string][] = [
      [{ record: encodeRecord({ ...device.create, time: 5 }) }, 'bad-signature'],
      [{ record: encodeRecord({ ...device.create, deviceSignature: new Uint8Array(64) }) }, 'bad-signature'],
      [{ record: encodeRecord(other.create) }, 'bad-signature'],
      [{ record: new Uint8Array([0x80]) }, 'malformed'],
      [{ bundle: await other.bundle() }, 'invalid'],
      // The last byte of an Ed25519 signature is below 0x11.
      [{ bundle: (await device.bundle()).with(-1, 0xff) }, 'bad-signature'],
      [{ nameCommit: await other.nameCommit(new Uint8Array(32), new Uint8Array(32)) }, 'invalid']
    ]
    for (const [changes, error] of attempts) {
      const body = await device.registration(await challenge(node.url), code, changes)
      const [, said] = await refused(await postRegistration(node.url, body))
      expect(said).toBe(error)
    }
    expect((await fetch(`${node.url}/v1/accounts/${toHex(device.accountId)}/proof`)).status).toBe(404)
  })

  it('never touches an account that exists: the same person gets another, and only so many', async () => {
    const first = await registerDevice(node.url, 'often')
    const second = await registerDevice(node.url, 'often')
    expect(equalBytes(first.accountId, second.accountId)).toBe(false)
    const third = await newDevice()
    const body = await third.registration(await challenge(node.url), await signedIn(third, 'often'))
    expect(await refused(await postRegistration(node.url, body))).toEqual([429, 'identity-limit'])
    expect((await proofOf(first)).account.devices).toHaveLength(1)
    // The limit outlives the process.
    await node.stop()
    node = await NodeProcess.start({ dataDir, env: { VOLO_REGISTRATIONS_PER_IDENTITY_PER_DAY: '2' } })
    const fourth = await newDevice()
    const later = await fourth.registration(await challenge(node.url), await signedIn(fourth, 'often'))
    expect(await refused(await postRegistration(node.url, later))).toEqual([429, 'identity-limit'])
  })

  it('gives a device one account only', async () => {
    const device = await registerDevice(node.url, 'twice')
    const { messagingKeyHash } = device.keys
    const create = await buildCreate(facts.network, device.signing, { messagingKeyHash, recoveryKey: null, time: 7 })
    const again = Object.assign(Object.create(TestDevice.prototype) as TestDevice, device, {
      create,
      accountId: recordIdOf(crypto, facts.network, create)
    })
    const body = await again.registration(await challenge(node.url), await signedIn(device, 'twice'))
    expect(await refused(await postRegistration(node.url, body))).toEqual([409, 'already-registered'])
  })

  it('limits accounts of one address', async () => {
    const strict = await NodeProcess.start({ env: { VOLO_REGISTRATIONS_PER_ADDRESS_PER_HOUR: '1' } })
    await registerDevice(strict.url, 'one')
    await expect(registerDevice(strict.url, 'two')).rejects.toThrow('429')
    await strict.dispose()
  })

  it('limits accounts of one address that come all at once', async () => {
    const strict = await NodeProcess.start({ env: { VOLO_REGISTRATIONS_PER_ADDRESS_PER_HOUR: '2' } })
    const there = await nodeFacts(strict.url)
    const bodies = await Promise.all(
      ['one', 'two', 'three', 'four', 'five'].map(async login => {
        const device = await TestDevice.make(there)
        const code = await signInCode(strict.url, device.keys, login)
        return device.registration(await challenge(strict.url), code)
      })
    )
    const answers = await Promise.all(bodies.map(body => postRegistration(strict.url, body)))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 429, 429, 429])
    await strict.dispose()
  })
})

describe('demo sign-in', () => {
  it('says what it is, works without scripts, and asks again each time', async () => {
    const device = await newDevice()
    const jar = new CookieJar()
    for (const login of ['ada', 'bob']) {
      const { url } = (await (await startSignIn(node.url, device.keys)).json()) as { url: string }
      const page = await jar.fetch((await jar.fetch(url)).headers.get('location')!.replace(/^\//, `${node.url}/`))
      const html = await page.text()
      expect(html).toContain('Anybody can be anybody')
      expect(html).not.toContain('<script')
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
      expect((await demoSignIn(url, login, jar)).hash).toMatch(/^#\/signed-in\?code=/)
    }
  })

  it('works under every loopback name, and comes back to the same one', async () => {
    const device = await newDevice()
    for (const origin of [node.url, node.url.replace('127.0.0.1', 'localhost')]) {
      const { url } = (await (await startSignIn(origin, device.keys)).json()) as { url: string }
      expect(new URL(url).origin).toBe(origin)
      expect((await demoSignIn(url, 'ada')).origin).toBe(origin)
    }
  })

  it('comes back to a program on this machine if asked to', async () => {
    const device = await newDevice()
    const start = await startSignIn(node.url, device.keys, 'http://127.0.0.1:5999/done')
    const end = await demoSignIn(((await start.json()) as { url: string }).url, 'ada')
    expect(end.href).toMatch(/^http:\/\/127\.0\.0\.1:5999\/done#\/signed-in\?code=/)
  })

  it('refuses names that no form sends, and a sign-in of another browser', async () => {
    const device = await newDevice()
    const { url } = (await (await startSignIn(node.url, device.keys)).json()) as { url: string }
    const jar = new CookieJar()
    const page = new URL((await jar.fetch(url)).headers.get('location')!, url).href
    for (const login of ['', '  ', '<b>', 'x'.repeat(65)]) {
      const answer = await jar.fetch(page, { login })
      expect(answer.status).toBe(400)
      expect(await answer.text()).toContain('Please type a name')
    }
    expect((await new CookieJar().fetch(page)).status).toBe(400)
    expect((await new CookieJar().fetch(page, { login: 'ada' })).status).toBe(400)
  })

  it('refuses a callback that nobody started, and one that comes twice', async () => {
    const device = await newDevice()
    const forged = await fetch(`${node.url}/v1/auth/demo/callback?code=x&state=y`, { redirect: 'manual' })
    expect(await refused(forged)).toEqual([400, 'unknown-sign-in'])
    const { url } = (await (await startSignIn(node.url, device.keys)).json()) as { url: string }
    const state = new URL(url).searchParams.get('state')!
    const wrong = await fetch(`${node.url}/v1/auth/demo/callback?code=x&state=${state}`, { redirect: 'manual' })
    expect(wrong.headers.get('location')).toBe('/#/signed-in?error=sign-in-failed')
    const again = await fetch(`${node.url}/v1/auth/demo/callback?code=x&state=${state}`, { redirect: 'manual' })
    expect(await refused(again)).toEqual([400, 'unknown-sign-in'])
  })
})
