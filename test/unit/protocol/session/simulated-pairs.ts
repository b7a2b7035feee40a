/** A device's channels to single other devices, for simulations. Like the peer, it keeps every state as bytes only. */
import { equalBytes, toHex } from '../../../../protocol/bytes.ts'
import { createMessageId, encodeMessage, type MessageBody } from '../../../../protocol/conversation/message.ts'
import type { Environment } from '../../../../protocol/environment.ts'
import { ProtocolError } from '../../../../protocol/errors.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import type { MessageFrame } from '../../../../protocol/session/message-packet.ts'
import { encodePacket, type Packet } from '../../../../protocol/session/packet.ts'
import {
  fromDevice,
  fromOpener,
  nextSentAt,
  openPairPacket,
  sealPairPacket,
  toDevice,
  toOpener
} from '../../../../protocol/session/pair-channel.ts'
import {
  acceptedPairingState,
  MAX_ACCEPTED_PAIRINGS,
  MAX_OPENED_PAIRINGS,
  newestPairing,
  noteRequest,
  openedPairingState,
  supersedePairings,
  surplusPairings,
  type AcceptedPairing,
  type OpenedPairing
} from '../../../../protocol/session/pairing.ts'

export interface SimulatedEnvelope {
  payload: Uint8Array
  to: { deviceId: DeviceId; part: Uint8Array }[]
}

/** A packet that was opened, and by whom it was sent. */
export interface PairDelivery {
  from: DeviceId
  sentAt: number
  frames: MessageFrame[]
  /** Set where the packet came to the opener: answers go back on it. */
  opened: OpenedPairing | undefined
}

export class SimulatedPairs {
  readonly #env: Environment
  readonly #store: Map<string, Uint8Array>
  readonly #owed = new Map<string, { deviceId: DeviceId; bodies: MessageBody[] }>()

  constructor(env: Environment, store: Map<string, Uint8Array>) {
    this.#env = env
    this.#store = store
  }

  get opened(): OpenedPairing[] {
    return this.#all('opened/', openedPairingState.decode)
  }

  get accepted(): AcceptedPairing[] {
    return this.#all('accepted/', acceptedPairingState.decode)
  }

  #all<T>(prefix: string, decode: (bytes: Uint8Array) => T): T[] {
    return [...this.#store].filter(([key]) => key.startsWith(prefix)).map(([, bytes]) => decode(bytes))
  }

  noteOpened(pairing: OpenedPairing): void {
    for (const older of supersedePairings(this.opened, pairing, this.#env.now())) this.#saveOpened(older)
    this.#saveOpened(pairing)
    for (const { sessionId } of surplusPairings(this.opened, MAX_OPENED_PAIRINGS, this.#env.now())) {
      this.#store.delete(`opened/${toHex(sessionId)}`)
    }
  }

  noteAccepted(pairing: AcceptedPairing): void {
    const ofDevice = () => this.accepted.filter(({ peerDevice }) => equalBytes(peerDevice, pairing.peerDevice))
    for (const older of supersedePairings(ofDevice(), pairing, this.#env.now())) this.#saveAccepted(older)
    this.#saveAccepted(pairing)
    for (const { sessionId } of surplusPairings(ofDevice(), MAX_ACCEPTED_PAIRINGS, this.#env.now())) {
      this.#store.delete(`accepted/${toHex(sessionId)}`)
    }
  }

  #saveOpened(pairing: OpenedPairing): void {
    this.#store.set(`opened/${toHex(pairing.sessionId)}`, openedPairingState.encode(pairing))
  }

  #saveAccepted(pairing: AcceptedPairing): void {
    this.#store.set(`accepted/${toHex(pairing.sessionId)}`, acceptedPairingState.encode(pairing))
  }

  /** Something to say to the opener of a session, with the next {@link flush}. */
  owe(deviceId: DeviceId, body: MessageBody): void {
    const owed = this.#owed.get(toHex(deviceId)) ?? { deviceId, bodies: [] }
    owed.bodies.push(body)
    this.#owed.set(toHex(deviceId), owed)
  }

  /** One packet for each device that something is owed to. */
  flush(): SimulatedEnvelope[] {
    const owed = [...this.#owed.values()]
    this.#owed.clear()
    return owed.flatMap(({ deviceId, bodies }) => {
      const pairing = newestPairing(this.accepted, deviceId)
      if (!pairing) return []
      const sentAt = nextSentAt(pairing.lastSentAt, this.#env.now())
      this.#saveAccepted({ ...pairing, lastSentAt: sentAt })
      const frames = bodies.map(body => this.frameOf(body))
      return [envelopeOf(deviceId, sealPairPacket(this.#env, toOpener(pairing), { sentAt, frames }))]
    })
  }

  frameOf(body: MessageBody): MessageFrame {
    const messageId = createMessageId(this.#env.random)
    const content = encodeMessage({ messageId, sentAt: this.#env.now(), expiresAfter: null, body })
    return { sequence: null, predecessor: null, content }
  }

  /** What the opener says to one device of its session. */
  answer(pairing: OpenedPairing, deviceId: DeviceId, frames: MessageFrame[]): SimulatedEnvelope {
    const content = { sentAt: this.#env.now(), frames }
    return envelopeOf(deviceId, sealPairPacket(this.#env, toDevice(this.#env, pairing, deviceId), content))
  }

  /** Whether a request is newer than all before it; notes it. */
  takesRequest({ opened, from, sentAt }: PairDelivery): boolean {
    const noted = opened && noteRequest(opened, from, sentAt)
    if (noted) this.#saveOpened(noted)
    return noted !== undefined
  }

  /** @throws ProtocolError `NOT_FOR_US` for a tag of no pairing, and as `openPairPacket`. */
  receive(packet: Extract<Packet, { kind: 'pair' }>): PairDelivery {
    const accepted = this.accepted.find(({ tag }) => equalBytes(tag, packet.tag))
    if (accepted) {
      const content = openPairPacket(this.#env, fromOpener(accepted), packet)
      return { from: accepted.peerDevice, ...content, opened: undefined }
    }
    for (const opened of this.opened) {
      const device = opened.devices.find(({ tag }) => equalBytes(tag, packet.tag))
      if (!device) continue
      const content = openPairPacket(this.#env, fromDevice(this.#env, opened, device.deviceId), packet)
      return { from: device.deviceId, ...content, opened }
    }
    throw new ProtocolError('NOT_FOR_US', 'packet of no pairing that is kept')
  }
}

function envelopeOf(deviceId: DeviceId, packet: Omit<Extract<Packet, { kind: 'pair' }>, 'kind'>): SimulatedEnvelope {
  return { payload: encodePacket({ kind: 'pair', ...packet }), to: [{ deviceId, part: new Uint8Array(0) }] }
}
