/** Whoever has a copy of a device's whole state: tries to read envelopes as nodes keep them. */
import { toHex } from '../../../protocol/bytes.ts'
import type { Environment } from '../../../protocol/environment.ts'
import type { ConversationId } from '../../../protocol/roster/roster.ts'
import { readOpen } from '../../../protocol/session/accept.ts'
import { heldConversationKeys } from '../../../protocol/session/conversation-keys.ts'
import { decryptMessage, type Inbound } from '../../../protocol/session/inbound.ts'
import { decodeMessagePacket } from '../../../protocol/session/message-packet.ts'
import { decodePacket, type Packet } from '../../../protocol/session/packet.ts'
import { fromDevice, fromOpener, openPairPacket, type PairEnd } from '../../../protocol/session/pair-channel.ts'
import type { AcceptedPairing, OpenedPairing } from '../../../protocol/session/pairing.ts'
import type { HeldKey } from '../../../protocol/session/seal-key.ts'
import { decodeEnvelope } from '../../../protocol/wire/envelope.ts'
import { DeviceKeys } from '../../../peer/store/device-keys.ts'
import { StateStore } from '../../../peer/store/state-store.ts'
import { ownKeysEntry, slots } from '../../../peer/store/store-layout.ts'
import type { FakeNetwork } from '../network/fake/fake-network.ts'
import type { TestPeer } from './test-peer.ts'

/** What of some envelopes can be read. */
export interface Loot {
  /** Opens whose session secret is known. */
  opens: number
  /** Messages of sessions. */
  messages: number
  /** Packets between two devices. */
  packets: number
}

export class Thief {
  readonly #env: Environment
  readonly #held: HeldKey[]
  readonly #inbounds: Map<string, Inbound>
  readonly #accepted: AcceptedPairing[]
  readonly #opened: OpenedPairing[]
  readonly #sessions = new Set<string>()

  private constructor(
    env: Environment,
    held: HeldKey[],
    inbounds: Inbound[],
    pairings: [AcceptedPairing[], OpenedPairing[]]
  ) {
    this.#env = env
    this.#held = held
    this.#inbounds = new Map(inbounds.map(inbound => [toHex(inbound.sessionId), inbound]))
    ;[this.#accepted, this.#opened] = pairings
  }

  /** Copies what a device has at this moment, keys of its store included. */
  static async of(network: FakeNetwork, victim: TestPeer): Promise<Thief> {
    const { crypto, id } = network
    const env = { crypto, network: id, now: network.now, random: (length: number) => new Uint8Array(length) }
    const store = await victim.openStore()
    const states = new StateStore(store)
    const keys = (await DeviceKeys.load(crypto, id, store, victim.vault))!
    const own = await states.all('own-keys', ownKeysEntry)
    const held = own.flatMap(entry => heldConversationKeys(entry.conversationId as ConversationId, entry.own))
    return new Thief(env, [...held, ...keys.heldKeys()], await states.all('inbound', slots.inbound('', '').codec), [
      await states.all('accepted-pairing', slots.acceptedPairing('', '').codec),
      await states.all('opened-pairing', slots.openedPairing('', '').codec)
    ])
  }

  /** Reads what it can, in the order in which it was sent, also what is addressed to other devices. */
  async read(envelopes: readonly Uint8Array[]): Promise<Loot> {
    const loot = { opens: 0, messages: 0, packets: 0 }
    for (const bytes of envelopes) {
      const { payload, recipients } = decodeEnvelope(bytes)
      const packet = decodePacket(payload)
      if (packet.kind === 'pair') {
        if (this.#ends(packet).some(end => opens(this.#env, end, packet))) loot.packets++
        continue
      }
      if (packet.kind === 'open') {
        for (const { mailbox, part } of recipients) {
          const open = await readOpen(this.#env, mailbox, this.#held, packet.openBody, part).catch(() => undefined)
          if (!open) continue
          loot.opens++
          this.#sessions.add(toHex(open.content.context.sessionId))
        }
      }
      for (const message of packet.messages) if (await this.#reads(message)) loot.messages++
    }
    return loot
  }

  async #reads(bytes: Uint8Array): Promise<boolean> {
    const packet = decodeMessagePacket(bytes)
    const session = toHex(packet.sessionId)
    if (this.#sessions.has(session)) return true
    const inbound = this.#inbounds.get(session)
    const read = inbound && (await decryptMessage(this.#env, inbound, packet).catch(() => undefined))
    if (read) this.#inbounds.set(session, read.inbound)
    return read !== undefined
  }

  #ends({ tag }: Extract<Packet, { kind: 'pair' }>): PairEnd[] {
    const key = toHex(tag)
    return [
      ...this.#accepted.map(fromOpener),
      ...this.#opened.flatMap(pairing =>
        pairing.devices
          .filter(device => toHex(device.tag) === key)
          .map(({ deviceId }) => fromDevice(this.#env, pairing, deviceId))
      )
    ]
  }
}

function opens(env: Environment, end: PairEnd, packet: Extract<Packet, { kind: 'pair' }>): boolean {
  try {
    openPairPacket(env, end, packet)
    return true
  } catch {
    return false
  }
}
