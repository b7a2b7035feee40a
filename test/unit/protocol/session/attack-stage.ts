/** Ada and Bob with two devices each, a session between them, and Mallory: the stage of attacks. */
import { expect } from 'vitest'
import type { Roster } from '../../../../protocol/roster/roster.ts'
import { readOpen, type AcceptedOpen } from '../../../../protocol/session/accept.ts'
import { decryptMessage, type Inbound } from '../../../../protocol/session/inbound.ts'
import { decodeMessagePacket } from '../../../../protocol/session/message-packet.ts'
import type { OpenedSession } from '../../../../protocol/session/open.ts'
import { type OpenContent } from '../../../../protocol/session/open-body.ts'
import { encryptMessage } from '../../../../protocol/session/outbound.ts'
import {
  acceptAs,
  createAccount,
  heldKeysOf,
  openTo,
  partFor,
  rosterOf,
  testEnvironment,
  text,
  type TestAccount,
  type TestDevice
} from './fixtures.ts'
import { forgeOpen, type ForgedOpen } from './forged-open.ts'

export const env = testEnvironment('attacks')
export const { crypto, network } = env

export let ada: TestAccount, bob: TestAccount, mallory: TestAccount
export let a1: TestDevice, a2: TestDevice, b1: TestDevice, b2: TestDevice, m1: TestDevice
export let roster: Roster
export let opened: OpenedSession
export let packets: Uint8Array[]

/** Makes the people and their session; to be called before all tests of a file. */
export async function setUpAttacks(): Promise<void> {
  ada = await createAccount(env, 2)
  bob = await createAccount(env, 2)
  mallory = await createAccount(env, 1)
  ;[a1, a2] = ada.devices as [TestDevice, TestDevice]
  ;[b1, b2] = bob.devices as [TestDevice, TestDevice]
  m1 = mallory.devices[0]!
  roster = rosterOf(env, ada, bob)
  opened = await openTo(env, a1, roster, [a2, b1, b2])
  packets = []
  let outbound = opened.outbound
  for (const word of ['hi', 'two', 'three']) {
    const sent = await encryptMessage(env, outbound, text(word), true)
    outbound = sent.outbound
    packets.push(sent.packet)
  }
}

/** Takes an Open as an honest device does. */
export const accept = (device: TestDevice, from = opened, as = roster): Promise<AcceptedOpen> =>
  acceptAs(env, device, as, from.openBody, partFor(from, device.deviceId))
/** Reads a packet as an honest device does. */
export const decrypt = (inbound: Inbound, packet: Uint8Array) =>
  decryptMessage(env, inbound, decodeMessagePacket(packet))
/** The error of a refusal with a code. */
export const refused = (code: string) => expect.objectContaining({ name: 'ProtocolError', code })

/** Content and secret of an Open, as every device that accepted it knows them. */
export async function insideOf(
  device: TestDevice,
  from = opened
): Promise<{ content: OpenContent; secret: Uint8Array }> {
  const part = partFor(from, device.deviceId)
  return readOpen(env, device.deviceId, heldKeysOf(env, device), from.openBody, part)
}

/** What a malicious member can do: everything, since it knows the secret; but it does not have Ada's signing key. */
export async function rewrap(
  device: TestDevice,
  change: (content: OpenContent) => OpenContent,
  from = opened
): Promise<ForgedOpen> {
  const { content, secret } = await insideOf(device, from)
  return forgeOpen(env, change(content), secret, device.signingKey)
}

/** Takes a forged Open as an honest device does. */
export const acceptForged = async (device: TestDevice, forged: ForgedOpen, as = roster): Promise<AcceptedOpen> =>
  acceptAs(env, device, as, forged.openBody, await forged.partTo(device))
