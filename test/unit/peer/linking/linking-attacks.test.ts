import { afterEach, describe, expect, it } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import type { DevicePublicKeys } from '../../../../protocol/identity/device.ts'
import { LinkChannel } from '../../../../protocol/linking/link-channel.ts'
import { shareCommitment, signLinkRequest } from '../../../../protocol/linking/link-check.ts'
import { parseLinkCode } from '../../../../protocol/linking/link-code.ts'
import type { LinkMessageOf } from '../../../../protocol/linking/link-messages.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import {
  devices,
  failure,
  link,
  liveDevices,
  network,
  peerOf,
  show,
  stateOf,
  step,
  stopLinking
} from './linking-stage.ts'

afterEach(stopLinking)

describe('a node in the middle', () => {
  it('that changes, swaps or repeats any message ends the linking', async () => {
    const { old, added } = await devices()
    for (let at = 0; at < 6; at++) {
      for (const change of ['bit', 'earlier'] as const) {
        if (at === 0 && change === 'earlier') continue
        const first = network.linking.kept.length
        network.linking.swap = async sealed => {
          const place = network.linking.kept.length - first
          if (place !== at) return sealed
          if (change === 'earlier') return network.linking.kept[first + at - 1]!.sealed
          return sealed.map((byte, i) => (i === 5 ? byte ^ 1 : byte))
        }
        const joined = failure(added.engine.linking.join(await show(old), 'Phone'))
        if (at >= 3) {
          await step(old, 'asking')
          await old.engine.linking.answer(true)
        }
        expect(await joined, `message ${at}, ${change}`).toMatch(/^link-(broken|lost|unknown)$/)
        await old.engine.linking.cancel()
        expect(await liveDevices(old)).toBe(1)
      }
    }
    network.linking.swap = async sealed => sealed
    await link(old, added)
  })

  it('cannot play an earlier linking again', async () => {
    const { old, added } = await devices()
    const third = await peerOf()
    await third.start()
    await link(old, added)
    const earlier = network.linking.kept.slice()
    const first = earlier.length
    network.linking.swap = async sealed => earlier[network.linking.kept.length - first]?.sealed ?? sealed
    expect(await failure(third.engine.linking.join(await show(old), 'Third'))).toBe('link-unknown')
    network.linking.swap = async sealed => sealed
    await old.engine.linking.cancel()
    // The offer of today, and everything after it from the earlier one.
    const code = await show(old)
    const begin = network.linking.kept.length - 1
    network.linking.swap = async sealed => earlier[network.linking.kept.length - begin]?.sealed ?? sealed
    expect(await failure(third.engine.linking.join(code, 'Third'))).toMatch(/^link-(broken|lost|used)$/)
    await step(old, 'failed')
    expect(stateOf(old)!.failure).toMatchObject({ code: 'link-broken' })
    expect(await liveDevices(old)).toBe(2)
  })

  /** Sits between the two devices with a photograph of the code. @param revealed - the keys that it shows to the new one. */
  async function swapKeys(
    revealed: Partial<DevicePublicKeys>,
    deviceName = 'Phone'
  ): Promise<{ old: TestPeer; added: TestPeer; joined: Promise<string> }> {
    const { old, added } = await devices()
    const { crypto, id } = network
    const key = await crypto.signingKeyFromSeed(new Uint8Array(32).fill(9))
    const keys = { signingKey: key.publicKey, messagingKeyHash: new Uint8Array(32).fill(9) }
    const nonce = new Uint8Array(32).fill(7)
    const middle: { toOld?: LinkChannel; toNew?: LinkChannel } = {}
    const pending: Uint8Array[] = []
    let count = 0
    network.linking.swap = async sealed => {
      if (!middle.toOld || !middle.toNew) {
        pending.push(sealed)
        return sealed
      }
      const { toOld, toNew } = middle
      if (count++ === 0) {
        toNew.open(sealed)
        return toOld.seal(
          await signLinkRequest(id, key, toOld.transcript, { kind: 'request', keys, nonce, deviceName })
        )
      }
      toOld.open(sealed)
      return toNew.seal({ kind: 'reveal', nonce, keys: { ...keys, ...revealed } })
    }
    const words = await show(old)
    const { secret } = parseLinkCode(words)
    middle.toOld = new LinkChannel(crypto, id, parseLinkCode(words).secret, 'new')
    middle.toNew = new LinkChannel(crypto, id, secret, 'old')
    const offer = middle.toOld.open(pending[0]!) as LinkMessageOf<'offer'>
    const forged = middle.toNew.seal({ ...offer, commitment: shareCommitment(crypto, id, { keys, nonce }) })
    network.linking.replace(toHex(middle.toNew.box('old')), 0, forged)
    const joined = failure(added.engine.linking.join(words, 'Phone'))
    await step(old, deviceName === 'Phone' ? 'asking' : 'failed')
    return { old, added, joined }
  }

  it('that has a photograph of the code and swaps the keys shows other words', async () => {
    const { old, added, joined } = await swapKeys({})
    await step(added, 'asking')
    expect(stateOf(old)!.checkWords).not.toEqual(stateOf(added)!.checkWords)
    await old.engine.linking.answer(false)
    expect(await joined).toMatch(/^link-/)
    expect(await liveDevices(old)).toBe(1)
  })

  it('cannot pose a question about a device whose name turns it around', async () => {
    const { old, added, joined } = await swapKeys({}, '\u202Exunil no emorhC')
    await step(old, 'failed')
    // The node in the middle does not tell it: it would wait until the code is over.
    await added.engine.linking.cancel()
    expect(await joined).toMatch(/^link-/)
    expect(await liveDevices(old)).toBe(1)
  })

  it('cannot choose its keys after it has seen the words of the old device', async () => {
    // Any other hash of a messaging key is as good for a search among 4,194,304 words.
    const { old, joined } = await swapKeys({ messagingKeyHash: new Uint8Array(32).fill(10) })
    expect(await joined).toBe('link-broken')
    await old.engine.linking.cancel()
    expect(await liveDevices(old)).toBe(1)
  })
})
