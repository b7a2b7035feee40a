/** Signs in and registers over HTTP as a client does, step by step, so that tests can break any of the steps. */
import { randomBytes } from 'node:crypto'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { createNodeCrypto } from '../../protocol/crypto/backends/node-crypto.ts'
import type { MessagingKey, SigningKey } from '../../protocol/crypto/crypto.ts'
import { buildCreate, buildNameCommit } from '../../protocol/identity/build-record.ts'
import { encodeBundle, signBundle } from '../../protocol/identity/bundle.ts'
import {
  deviceIdOf,
  messagingKeyHash,
  type AccountId,
  type DeviceId,
  type DevicePublicKeys,
  type RecordId
} from '../../protocol/identity/device.ts'
import { nameCommitment } from '../../protocol/identity/name-commitment.ts'
import { encodeRecord, recordIdOf, type RecordOf } from '../../protocol/identity/record.ts'
import { encodeRegistration, signDeviceChallenge, type Registration } from '../../protocol/identity/registration.ts'
import { WEEKLY_KEY_PERIOD_MS } from '../../protocol/limits.ts'
import type { NetworkId } from '../../protocol/network.ts'

export const crypto = createNodeCrypto()
const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length))

/** What a device needs to know of the node it registers at. */
export interface NodeFacts {
  url: string
  network: NetworkId
  nodeKey: Uint8Array
}

export async function nodeFacts(url: string): Promise<NodeFacts> {
  const answer = (await (await fetch(`${url}/v1/network`)).json()) as { networkId: string; node: string }
  return { url, network: fromHex(answer.networkId) as NetworkId, nodeKey: fromHex(answer.node) }
}

/** A device with fresh keys and an account that no node knows yet. */
export class TestDevice {
  readonly facts: NodeFacts
  readonly signing: SigningKey
  readonly messaging: MessagingKey
  readonly keys: DevicePublicKeys
  readonly deviceId: DeviceId
  readonly create: RecordOf<'create'>
  readonly accountId: AccountId

  private constructor(facts: NodeFacts, signing: SigningKey, messaging: MessagingKey, create: RecordOf<'create'>) {
    this.facts = facts
    this.signing = signing
    this.messaging = messaging
    this.create = create
    this.keys = create.device
    this.deviceId = deviceIdOf(crypto, facts.network, create.device)
    this.accountId = recordIdOf(crypto, facts.network, create) as Uint8Array as AccountId
  }

  static async make(facts: NodeFacts): Promise<TestDevice> {
    const signing = await crypto.signingKeyFromSeed(random(32))
    const messaging = await crypto.messagingKeyFromSeed(random(32))
    const create = await buildCreate(facts.network, signing, {
      messagingKeyHash: messagingKeyHash(crypto, facts.network, messaging.publicKey),
      recoveryKey: null,
      time: Date.now()
    })
    return new TestDevice(facts, signing, messaging, create)
  }

  async bundle(): Promise<Uint8Array> {
    const weekly = await crypto.messagingKeyFromSeed(random(32))
    return encodeBundle(
      await signBundle(this.facts.network, this.signing, {
        deviceId: this.deviceId,
        keys: this.keys,
        registeredKey: this.messaging.publicKey,
        weeklyIndex: 0,
        weeklyKey: weekly.publicKey,
        weeklyExpiry: Date.now() + WEEKLY_KEY_PERIOD_MS
      })
    )
  }

  /** A NAME commit for a tag. */
  async nameCommit(nameTag: Uint8Array, salt: Uint8Array): Promise<Uint8Array> {
    const commitment = nameCommitment(crypto, this.facts.network, nameTag, this.accountId, salt)
    const signer = {
      key: this.signing,
      deviceId: this.deviceId,
      prev: this.accountId as Uint8Array as RecordId,
      time: Date.now()
    }
    return encodeRecord(await buildNameCommit(this.facts.network, signer, commitment))
  }

  /** A whole registration; `changes` make it wrong. */
  async registration(nonce: string, signInCode: string, changes: Partial<Registration> = {}): Promise<Uint8Array> {
    const { network, nodeKey } = this.facts
    const recordId = this.accountId as Uint8Array as RecordId
    const challenge = { nodeKey, nonce: fromHex(nonce), deviceId: this.deviceId, recordId }
    return encodeRegistration({
      nonce: challenge.nonce,
      signature: await signDeviceChallenge(network, this.signing, challenge),
      record: encodeRecord(this.create),
      bundle: await this.bundle(),
      signInCode,
      nameCommit: null,
      ...changes
    })
  }
}

const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body)
})

export async function challenge(url: string): Promise<string> {
  const answer = await fetch(`${url}/v1/device-challenge`, json({}))
  return ((await answer.json()) as { nonce: string }).nonce
}

/** Begins a sign-in. */
export function startSignIn(url: string, keys: DevicePublicKeys, returnTo = '/'): Promise<Response> {
  const body = {
    signingKey: toHex(keys.signingKey),
    messagingKeyHash: toHex(keys.messagingKeyHash),
    returnTo
  }
  return fetch(`${url}/v1/auth/demo/start`, json(body))
}

/** A browser without scripts: cookies and redirects, one step at a time. */
export class CookieJar {
  readonly #cookies = new Map<string, string>()
  readonly #proxy: { publicUrl: string; node: string } | undefined

  /** @param proxy - what is between this browser and the node: TLS under a public name. */
  constructor(proxy?: { publicUrl: string; node: string }) {
    this.#proxy = proxy
  }

  async fetch(url: string, form?: Record<string, string>): Promise<Response> {
    const { host } = new URL(url)
    const isProxied = this.#proxy !== undefined && url.startsWith(this.#proxy.publicUrl)
    const answer = await fetch(isProxied ? url.replace(this.#proxy!.publicUrl, this.#proxy!.node) : url, {
      redirect: 'manual',
      headers: {
        ...(isProxied && { 'x-forwarded-host': host, 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' }),
        cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      },
      ...(form && { method: 'POST', body: new URLSearchParams(form) })
    })
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const [name = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
      if (value === '') this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    return answer
  }
}

/**
 * Signs in at the demo provider. @returns the address that the browser ends at: the app's, with a code in its fragment.
 * @param jar - give one to go through the steps as the same browser again.
 */
export async function demoSignIn(start: string, login: string, jar = new CookieJar()): Promise<URL> {
  let url = start
  for (let step = 0; step < 12; step++) {
    let answer = await jar.fetch(url)
    if (answer.status === 200) {
      const action = /<form method="post" action="([^"]+)"/.exec(await answer.text())?.[1]
      if (!action) throw new Error(`no form at ${url}`)
      answer = await jar.fetch(new URL(action, url).href, { login })
    }
    const location = answer.headers.get('location')
    if (location === null) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`)
    url = new URL(location, url).href
    if (url.includes('#')) return new URL(url)
  }
  throw new Error('the sign-in does not end')
}

/** The one-time code at the end of a demo sign-in. */
export async function signInCode(url: string, keys: DevicePublicKeys, login: string): Promise<string> {
  const { url: start } = (await (await startSignIn(url, keys)).json()) as { url: string }
  const { hash } = await demoSignIn(start, login)
  const code = new URLSearchParams(hash.slice(hash.indexOf('?') + 1)).get('code')
  if (!code) throw new Error(`no code in ${hash}`)
  return code
}

/** Hands in a registration. */
export function postRegistration(url: string, body: Uint8Array, type = 'application/cbor'): Promise<Response> {
  return fetch(`${url}/v1/registrations`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: Uint8Array.from(body)
  })
}

/** A device that registers, from the first step to the last. */
export async function registerDevice(url: string, login: string): Promise<TestDevice> {
  const device = await TestDevice.make(await nodeFacts(url))
  const code = await signInCode(url, device.keys, login)
  const answer = await postRegistration(url, await device.registration(await challenge(url), code))
  if (answer.status !== 201) throw new Error(`registration answered ${answer.status}: ${await answer.text()}`)
  return device
}
