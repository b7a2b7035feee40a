/** The pairings of this device: what it shares with each single other device, and which packet belongs to which. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import {
  erasePairing,
  MAX_ACCEPTED_PAIRINGS,
  MAX_OPENED_PAIRINGS,
  newestPairing,
  supersedePairings,
  surplusPairings,
  type AcceptedPairing,
  type OpenedPairing
} from '../../protocol/session/pairing.ts'
import { slots } from './store-layout.ts'
import type { StateStore, UnitOfWork } from './state-store.ts'

const ACCEPTED = slots.acceptedPairing('', '').codec
const OPENED = slots.openedPairing('', '').codec

/** The pairing that a packet came on. `deviceId` is the device that sent it. */
export type FoundPairing =
  | { kind: 'accepted'; pairing: AcceptedPairing; deviceId: DeviceId }
  | { kind: 'opened'; pairing: OpenedPairing; deviceId: DeviceId }

interface Place {
  kind: FoundPairing['kind']
  conversation: string
  session: string
  deviceId: DeviceId
}

export class PairingBook {
  readonly #states: StateStore
  /** Places by tag; read from the store when the first packet comes, because most short commands need none. */
  #places: Map<string, Place> | undefined

  constructor(states: StateStore) {
    this.#states = states
  }

  /** @returns undefined for a tag of no pairing that is kept. */
  async find(unit: UnitOfWork, tag: Uint8Array): Promise<FoundPairing | undefined> {
    const places = (this.#places ??= await this.#load())
    const place = places.get(toHex(tag))
    if (!place) return undefined
    const { kind, conversation, session, deviceId } = place
    if (kind === 'accepted') {
      const pairing = await unit.read(slots.acceptedPairing(conversation, session))
      return pairing && { kind, pairing, deviceId }
    }
    const pairing = await unit.read(slots.openedPairing(conversation, session))
    return pairing && { kind, pairing, deviceId }
  }

  async #load(): Promise<Map<string, Place>> {
    const places = new Map<string, Place>()
    for (const pairing of await this.#states.all('accepted-pairing', ACCEPTED)) addAccepted(places, pairing)
    for (const pairing of await this.#states.all('opened-pairing', OPENED)) addOpened(places, pairing)
    return places
  }

  /** Keeps the pairings of a session that this device opened. */
  async noteOpened(unit: UnitOfWork, pairing: OpenedPairing, now: number): Promise<void> {
    const key = toHex(pairing.conversationId)
    const others = await openedOf(unit, key)
    for (const older of supersedePairings(others, pairing, now)) this.saveOpened(unit, older)
    this.saveOpened(unit, pairing)
    for (const surplus of surplusPairings(await openedOf(unit, key), MAX_OPENED_PAIRINGS, now)) {
      this.#dropOpened(unit, surplus)
    }
    unit.after(() => this.#places && addOpened(this.#places, pairing))
  }

  /** Keeps the pairing of a session that this device accepted. */
  async noteAccepted(unit: UnitOfWork, pairing: AcceptedPairing, now: number): Promise<void> {
    const key = toHex(pairing.conversationId)
    const ofSender = async () =>
      (await acceptedOf(unit, key)).filter(({ peerDevice }) => equalBytes(peerDevice, pairing.peerDevice))
    for (const older of supersedePairings(await ofSender(), pairing, now)) this.saveAccepted(unit, older)
    this.saveAccepted(unit, pairing)
    for (const surplus of surplusPairings(await ofSender(), MAX_ACCEPTED_PAIRINGS, now)) {
      this.#dropAccepted(unit, surplus)
    }
    unit.after(() => this.#places && addAccepted(this.#places, pairing))
  }

  saveOpened(unit: UnitOfWork, pairing: OpenedPairing): void {
    unit.write(slots.openedPairing(toHex(pairing.conversationId), toHex(pairing.sessionId)), pairing)
  }

  saveAccepted(unit: UnitOfWork, pairing: AcceptedPairing): void {
    unit.write(slots.acceptedPairing(toHex(pairing.conversationId), toHex(pairing.sessionId)), pairing)
  }

  /** The pairing on which this device speaks to another; undefined before a session of that one was accepted. */
  async newest(unit: UnitOfWork, conversation: string, deviceId: DeviceId): Promise<AcceptedPairing | undefined> {
    return newestPairing(await acceptedOf(unit, conversation), deviceId)
  }

  /** The newest session that this device opened to another, to tell it something unasked; undefined if there is none. */
  async newestOpened(unit: UnitOfWork, conversation: string, deviceId: DeviceId): Promise<OpenedPairing | undefined> {
    const opened = await openedOf(unit, conversation)
    return opened
      .filter(({ devices }) => devices.some(device => equalBytes(device.deviceId, deviceId)))
      .sort((a, b) => b.keyIndex - a.keyIndex)[0]
  }

  /** Erases what has served its time, and all that is shared with devices that are gone, with what they sent before. */
  async erase(
    unit: UnitOfWork,
    conversation: string,
    isGone: (deviceId: DeviceId) => boolean,
    now: number
  ): Promise<void> {
    const accepted = await acceptedOf(unit, conversation)
    for (const senders of Map.groupBy(accepted, ({ peerDevice }) => toHex(peerDevice)).values()) {
      const surplus = isGone(senders[0]!.peerDevice) ? senders : surplusPairings(senders, MAX_ACCEPTED_PAIRINGS, now)
      for (const pairing of surplus) this.#dropAccepted(unit, pairing)
    }
    const opened = await openedOf(unit, conversation)
    for (const pairing of surplusPairings(opened, MAX_OPENED_PAIRINGS, now)) this.#dropOpened(unit, pairing)
  }

  #dropAccepted(unit: UnitOfWork, pairing: AcceptedPairing): void {
    unit.remove(slots.acceptedPairing(toHex(pairing.conversationId), toHex(pairing.sessionId)))
    unit.after(() => {
      this.#places?.delete(toHex(pairing.tag))
      erasePairing(pairing)
    })
  }

  #dropOpened(unit: UnitOfWork, pairing: OpenedPairing): void {
    unit.remove(slots.openedPairing(toHex(pairing.conversationId), toHex(pairing.sessionId)))
    unit.after(() => {
      for (const { tag } of pairing.devices) this.#places?.delete(toHex(tag))
      erasePairing(pairing)
    })
  }
}

async function acceptedOf(unit: UnitOfWork, conversation: string): Promise<AcceptedPairing[]> {
  return (await unit.range('accepted-pairing', conversation, ACCEPTED)).map(({ value }) => value)
}

async function openedOf(unit: UnitOfWork, conversation: string): Promise<OpenedPairing[]> {
  return (await unit.range('opened-pairing', conversation, OPENED)).map(({ value }) => value)
}

/** A tag that is there already keeps its place: no device can take over the packets of another. */
function add(places: Map<string, Place>, tag: Uint8Array, place: Place): void {
  const key = toHex(tag)
  if (!places.has(key)) places.set(key, place)
}

function addAccepted(places: Map<string, Place>, pairing: AcceptedPairing): void {
  const { tag, conversationId, sessionId, peerDevice } = pairing
  const place = { conversation: toHex(conversationId), session: toHex(sessionId), deviceId: peerDevice }
  add(places, tag, { kind: 'accepted', ...place })
}

function addOpened(places: Map<string, Place>, { conversationId, sessionId, devices }: OpenedPairing): void {
  const place = { conversation: toHex(conversationId), session: toHex(sessionId) }
  for (const { tag, deviceId } of devices) add(places, tag, { kind: 'opened', ...place, deviceId })
}
