/** People and devices with real keys, a directory that knows them, and a clock and randomness that the test owns. */
import { Secret } from '../../../../protocol/secret.ts'
import { equalBytes, toHex } from '../../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import type { Crypto } from '../../../../protocol/crypto/crypto.ts'
import { createDirectRoster, type Roster, type RosterDevice } from '../../../../protocol/roster/roster.ts'
import type { AccountView, DirectoryView } from '../../../../protocol/roster/roster-resolution.ts'
import { signBundle, type DeviceBundle } from '../../../../protocol/identity/bundle.ts'
import {
  deviceIdOf,
  messagingKeyHash,
  type AccountId,
  type DeviceId,
  type RecordId
} from '../../../../protocol/identity/device.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import { acceptOpen, readOpen, type AcceptedOpen } from '../../../../protocol/session/accept.ts'
import { emptyOwnKeys } from '../../../../protocol/session/conversation-keys.ts'
import type { Environment } from '../../../../protocol/environment.ts'
import { openSession, type OpenedSession, type OpenInit, type OwnDevice } from '../../../../protocol/session/open.ts'
import { emptyOutbound } from '../../../../protocol/session/outbound.ts'
import type { HeldKey, SealKeyId } from '../../../../protocol/session/seal-key.ts'
import {
  emptyWeeklyKeys,
  heldWeeklyKeys,
  renewWeeklyKey,
  type WeeklyKeys
} from '../../../../protocol/session/weekly-keys.ts'

export const NETWORK = new Uint8Array(32).fill(7) as NetworkId
export const START = 1_790_000_000_000

/** A clock that only the test moves. */
export class TestClock {
  time = START
  now = (): number => this.time
  advance(milliseconds: number): void {
    this.time += milliseconds
  }
}

/** A stream of bytes that depends on the seed alone. */
export function seededRandom(crypto: Crypto, seed: string): (length: number) => Uint8Array {
  let counter = 0
  return length => {
    const bytes = new Uint8Array(length)
    for (let offset = 0; offset < length; offset += 32) {
      const block = crypto.sha256(new TextEncoder().encode(`${seed}/${counter++}`))
      bytes.set(block.subarray(0, Math.min(32, length - offset)), offset)
    }
    return bytes
  }
}

export interface TestEnvironment extends Environment {
  clock: TestClock
}

export function testEnvironment(seed = 'volo', crypto: Crypto = createNodeCrypto()): TestEnvironment {
  const clock = new TestClock()
  return { crypto, network: NETWORK, random: seededRandom(crypto, seed), now: clock.now, clock }
}

/** A device with everything that its owner holds of it. */
export interface TestDevice extends OwnDevice {
  listed: RosterDevice
  registeredSeed: Uint8Array
  registeredKey: Uint8Array
  weekly: WeeklyKeys
  bundle: DeviceBundle
}

export async function createTestDevice(env: Environment, accountId: AccountId): Promise<TestDevice> {
  const { crypto, network, random } = env
  const signingKey = await crypto.signingKeyFromSeed(random(32))
  const registeredSeed = random(32)
  const registeredKey = (await crypto.messagingKeyFromSeed(registeredSeed)).publicKey
  const keys = {
    signingKey: signingKey.publicKey,
    messagingKeyHash: messagingKeyHash(crypto, network, registeredKey)
  }
  const deviceId = deviceIdOf(crypto, network, keys)
  const { weekly, index, expiry, key } = await renewWeeklyKey(env, emptyWeeklyKeys())
  const bundle = await signBundle(network, signingKey, {
    deviceId,
    keys,
    registeredKey,
    weeklyIndex: index,
    weeklyKey: key.publicKey,
    weeklyExpiry: expiry
  })
  return {
    accountId,
    deviceId,
    signingKey,
    publicKeys: keys,
    listed: { deviceId, ...keys },
    registeredSeed,
    registeredKey,
    weekly,
    bundle
  }
}

/** An account whose head can be moved on, as a directory would see it. */
export class TestAccount {
  readonly accountId: AccountId
  readonly devices: TestDevice[] = []
  readonly heads: { head: RecordId; devices: RosterDevice[] }[] = []
  readonly revoked = new Map<string, number>()
  readonly env: Environment

  constructor(env: Environment) {
    this.env = env
    this.accountId = env.random(32) as AccountId
  }

  get head(): RecordId {
    return this.heads.at(-1)!.head
  }

  get live(): TestDevice[] {
    return this.devices.filter(({ deviceId }) => !this.revoked.has(toHex(deviceId)))
  }

  async addDevice(): Promise<TestDevice> {
    const device = await createTestDevice(this.env, this.accountId)
    this.devices.push(device)
    this.#record()
    return device
  }

  revoke(device: TestDevice): void {
    this.revoked.set(toHex(device.deviceId), this.env.now())
    this.#record()
  }

  #record(): void {
    const head = this.env.random(32) as RecordId
    this.heads.push({ head, devices: this.live.map(({ listed }) => listed) })
  }

  member(head = this.head) {
    return { accountId: this.accountId, head, devices: this.heads.find(entry => equalBytes(entry.head, head))!.devices }
  }

  view(known = this.heads.length): AccountView {
    return {
      head: this.heads[known - 1]!.head,
      devicesAt: head => this.heads.slice(0, known).find(entry => equalBytes(entry.head, head))?.devices,
      revokedAt: deviceId => this.revoked.get(toHex(deviceId)),
      removedSince: deviceId => this.revoked.get(toHex(deviceId))
    }
  }
}

export async function createAccount(env: Environment, devices: number): Promise<TestAccount> {
  const account = new TestAccount(env)
  for (let i = 0; i < devices; i++) await account.addDevice()
  return account
}

export function directoryOf(...accounts: TestAccount[]): DirectoryView {
  return accountId => accounts.find(account => equalBytes(account.accountId, accountId))?.view()
}

export function rosterOf(env: Environment, ...accounts: TestAccount[]): Roster {
  return createDirectRoster(
    env.crypto,
    env.network,
    accounts.map(account => account.member())
  )
}

/** Weekly and registered secrets of a device. */
export function heldKeysOf(env: Environment, device: TestDevice): HeldKey[] {
  const keyId = messagingKeyHash(env.crypto, env.network, device.registeredKey) as SealKeyId
  const registered = { keyId, seed: new Secret(device.registeredSeed), conversationId: null, index: null }
  return [...heldWeeklyKeys(device.weekly), registered]
}

/** Opens a first session from `me` to everybody in the roster, by bundles. */
export function openTo(
  env: Environment,
  me: TestDevice,
  roster: Roster,
  everybody: TestDevice[],
  more: Partial<OpenInit> = {}
): Promise<OpenedSession> {
  return openSession(env, {
    me,
    roster,
    outbound: emptyOutbound(env, roster.conversationId, me.deviceId),
    ownKeys: emptyOwnKeys(),
    peerKeys: [],
    bundles: everybody.map(({ bundle }) => bundle),
    ...more
  })
}

export function partFor(opened: Pick<OpenedSession, 'parts'>, deviceId: DeviceId): Uint8Array {
  const found = opened.parts.find(part => equalBytes(part.deviceId, deviceId))
  if (!found) throw new Error('no part for that device')
  return found.part
}

/** Reads and accepts an Open as the given device, at first contact. */
export async function acceptAs(
  env: Environment,
  device: TestDevice,
  roster: Roster,
  openBody: Uint8Array,
  part: Uint8Array
): Promise<AcceptedOpen> {
  const open = await readOpen(env, device.deviceId, heldKeysOf(env, device), openBody, part)
  return acceptOpen(env, { deviceId: device.deviceId, open, roster, seen: undefined, peerKey: undefined })
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)
export const textOf = (value: Uint8Array): string => new TextDecoder().decode(value)
