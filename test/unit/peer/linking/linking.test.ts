import { afterEach, describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../../protocol/bytes.ts'
import type { AccountId, DevicePublicKeys } from '../../../../protocol/identity/device.ts'
import { isLive } from '../../../../protocol/directory/account.ts'
import { LinkChannel } from '../../../../protocol/linking/link-channel.ts'
import { shareCommitment, signLinkRequest } from '../../../../protocol/linking/link-check.ts'
import { parseLinkCode } from '../../../../protocol/linking/link-code.ts'
import type { LinkMessageOf } from '../../../../protocol/linking/link-messages.ts'
import type { LinkingState } from '../../../../peer/peer-api.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const peers: TestPeer[] = []
let network: FakeNetwork

async function peerOf(speed = 10): Promise<TestPeer> {
  const peer = new TestPeer(network)
  peer.speed = speed
  peers.push(peer)
  return peer
}

/** An old device with an account, and a new one without. */
async function devices(speed = 10): Promise<{ old: TestPeer; added: TestPeer }> {
  network = await FakeNetwork.create(1)
  const old = await peerOf(speed)
  await old.register('ada')
  const added = await peerOf(speed)
  await added.start()
  return { old, added }
}

afterEach(async () => {
  await Promise.all(peers.splice(0).map(peer => peer.engine.stop()))
  network.linking.rendezvous.stop()
})

const stateOf = (peer: TestPeer): LinkingState | null => peer.engine.linking.state
const show = async (peer: TestPeer): Promise<string> => (await peer.engine.linking.show()).code!.words
const step = (peer: TestPeer, wanted: LinkingState['step']): Promise<void> =>
  eventually(() => stateOf(peer)?.step === wanted, { what: `the linking is ${wanted}`, timeoutMs: 10_000 })
/** What a call failed with. */
const failure = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (error: { code?: string }) => error.code ?? String(error)
  )

/** Live devices of the account, as the ledger has them. */
async function liveDevices(old: TestPeer): Promise<number> {
  const account = await network.ledger.accountState(fromHex(old.me.accountId, 32) as AccountId)
  return account.devices.filter(isLive).length
}

/** Links with a fresh code, to the end. */
async function link(old: TestPeer, added: TestPeer): Promise<void> {
  const joined = added.engine.linking.join(await show(old), 'Phone')
  await step(old, 'asking')
  await old.engine.linking.answer(true)
  added.me = await joined
  await step(old, 'done')
}

describe('a second device', () => {
  it('is on the account once the old device says yes; both show the same words', async () => {
    const { old, added } = await devices()
    const joined = added.engine.linking.join(await show(old), 'Phone')
    await step(old, 'asking')
    await step(added, 'asking')
    expect(stateOf(old)).toMatchObject({ deviceName: 'Phone' })
    expect(stateOf(old)!.checkWords).toEqual(stateOf(added)!.checkWords)
    expect(await liveDevices(old)).toBe(1)
    await old.engine.linking.answer(true)
    const me = await joined
    expect(me).toMatchObject({ accountId: old.me.accountId, username: 'ada', deviceName: 'Phone', deviceState: 'live' })
    await step(old, 'done')
    expect(await liveDevices(old)).toBe(2)
    const [first, second] = await old.engine.devices.list()
    expect([first!.deviceId, second!.deviceId]).toEqual([old.me.deviceId, me.deviceId])
  })

  it('is written to by others, and writes', async () => {
    const { old, added } = await devices()
    const bob = await peerOf()
    await bob.register('bob')
    await link(old, added)
    await added.engine.online(5_000)
    await added.send(bob, 'from the phone')
    await eventually(async () => (await bob.received(added)).includes('from the phone'), 'the message is there')
    await bob.send(old, 'to both')
    await eventually(async () => (await added.received(bob)).includes('to both'), 'it is on the new one')
    await eventually(async () => (await old.received(bob)).includes('to both'), 'it is on the old one')
  })

  it('gets the history, also where the old device ends right after the linking', async () => {
    const { old, added } = await devices()
    const bob = await peerOf()
    await bob.register('bob')
    await old.send(bob, 'before')
    await eventually(async () => (await bob.received(old)).length === 1, 'Bob has it')
    await link(old, added)
    await old.restart()
    const texts = async () => (await added.messages(bob).catch(() => [])).map(({ text }) => text)
    await eventually(async () => (await texts()).includes('before'), {
      what: 'the new device has it',
      timeoutMs: 30_000
    })
  })

  it('joins by the QR code, and by words as people type them', async () => {
    const { old, added } = await devices()
    const { address, words } = (await old.engine.linking.show()).code!
    expect(address).toContain('#/link/')
    const typed = words
      .split(' ')
      .map((word, i) => (i % 2 ? word.toUpperCase() : word.slice(0, 4)))
      .join(',  ')
    expect(parseLinkCode(typed).secret).toEqual(parseLinkCode(address).secret)
    const joined = added.engine.linking.join(address, 'Phone')
    await step(old, 'asking')
    await old.engine.linking.answer(true)
    expect((await joined).accountId).toBe(old.me.accountId)
  })
})

describe('a code', () => {
  it('that was photographed and used first by a stranger gives its owner a refusal, and the stranger nothing', async () => {
    const { old, added } = await devices()
    const stranger = await peerOf()
    await stranger.start()
    const code = await show(old)
    const stolen = failure(stranger.engine.linking.join(code, 'Chrome on Linux'))
    await step(old, 'asking')
    expect(await failure(added.engine.linking.join(code, 'Phone'))).toBe('link-used')
    expect(stateOf(added)!.checkWords).toBe(null)
    await old.engine.linking.answer(false)
    expect(await stolen).toBe('link-refused')
    expect(await liveDevices(old)).toBe(1)
    await link(old, added)
    expect(await liveDevices(old)).toBe(2)
  })

  it('is good for one device', async () => {
    const { old, added } = await devices()
    const third = await peerOf()
    await third.start()
    const code = await show(old)
    const joined = added.engine.linking.join(code, 'Phone')
    await step(old, 'asking')
    await old.engine.linking.answer(true)
    await joined
    expect(await failure(third.engine.linking.join(code, 'Other'))).toBe('link-used')
    expect(await liveDevices(old)).toBe(2)
  })

  it('is over after ten minutes, also while the question is open', async () => {
    const { old, added } = await devices(500)
    const code = await show(old)
    await step(old, 'failed')
    expect(stateOf(old)!.failure).toMatchObject({ code: 'link-expired' })
    expect(await failure(added.engine.linking.join(code, 'Phone'))).toBe('link-expired')
    const again = failure(added.engine.linking.join(await show(old), 'Phone'))
    await step(old, 'asking')
    expect(await again).toBe('link-expired')
    await old.engine.linking.answer(true)
    expect(await liveDevices(old)).toBe(1)
  })

  it('with a wrong word, of wrong length or unknown to the network is refused with a reason', async () => {
    const { old, added } = await devices()
    const words = (await show(old)).split(' ')
    const join = (code: string): Promise<string> => failure(added.engine.linking.join(code, 'Phone'))
    expect(await join('hello')).toBe('link-code')
    expect(await join([...words.slice(1), 'qqqq'].join(' '))).toBe('link-code')
    // A word that fits the checksum of another code.
    expect(await join('legal winner thank year wave sausage worth useful legal winner thank yellow')).toBe(
      'link-unknown'
    )
    expect(await join(words.join(' ').replace(words[0]!, words[0] === 'zoo' ? 'zone' : 'zoo'))).toMatch(
      /^link-(code|unknown)$/
    )
    expect(stateOf(old)!.step).toBe('waiting')
  })

  it('of another network is refused', async () => {
    const { old, added } = await devices()
    const { address } = (await old.engine.linking.show()).code!
    const [origin, payload] = address.split('#/link/')
    const bytes = Buffer.from(payload!, 'base64url')
    bytes[20]! ^= 1
    expect(await failure(added.engine.linking.join(`${origin}#/link/${bytes.toString('base64url')}`, 'x'))).toBe(
      'other-network'
    )
  })

  it('cancelled on either side ends both with a sentence', async () => {
    const { old, added } = await devices()
    for (const cancels of [old, added]) {
      const joined = failure(added.engine.linking.join(await show(old), 'Phone'))
      await step(old, 'asking')
      await step(added, 'asking')
      await cancels.engine.linking.cancel()
      expect(await joined).toBe('link-cancelled')
      const other = cancels === old ? added : old
      await step(other, 'failed')
      expect(stateOf(other)!.failure).toEqual({ code: 'link-cancelled', facts: { by: 'other' } })
      expect(stateOf(cancels)).toBe(null)
      expect(await liveDevices(old)).toBe(1)
    }
    const code = await show(old)
    await old.engine.linking.cancel()
    expect(await failure(added.engine.linking.join(code, 'Phone'))).toBe('link-cancelled')
    await link(old, added)
  })
})

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
    network.linking.swap = async sealed =>
      network.linking.kept.length === first + 1
        ? sealed
        : (earlier[network.linking.kept.length - first]?.sealed ?? sealed)
    await old.engine.linking.cancel()
    expect(await liveDevices(old)).toBe(2)
  })

  /** Sits between the two devices with a photograph of the code. @param revealed - the keys that it shows to the new one. */
  async function swapKeys(
    revealed: Partial<DevicePublicKeys>
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
          await signLinkRequest(id, key, toOld.transcript, { kind: 'request', keys, nonce, deviceName: 'Phone' })
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
    await step(old, 'asking')
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

  it('cannot choose its keys after it has seen the words of the old device', async () => {
    // Any other hash of a messaging key is as good for a search among 4,194,304 words.
    const { old, joined } = await swapKeys({ messagingKeyHash: new Uint8Array(32).fill(10) })
    expect(await joined).toBe('link-broken')
    await old.engine.linking.cancel()
    expect(await liveDevices(old)).toBe(1)
  })
})

describe('a linking', () => {
  it('whose connection is lost after any message leaves nothing half-done, and starting again works', async () => {
    for (let kept = 1; kept <= 6; kept++) {
      const { old, added } = await devices(100)
      network.linking.keptBeforeLoss = kept
      const code = await show(old)
      const joined = failure(added.engine.linking.join(code, 'Phone'))
      if (kept >= 3) {
        await step(old, 'asking')
        await old.engine.linking.answer(true)
      }
      expect(await joined, `after ${kept}`).toMatch(/^(link-lost|offline)$/)
      // Before the answer the old device waits for as long as the code is good: its person ends it.
      if (kept < 4) await old.engine.linking.cancel()
      else await step(old, 'failed')
      expect((await added.engine.snapshot()).stage).toBe('welcome')
      expect(await liveDevices(old)).toBe(1)
      network.linking.keptBeforeLoss = Infinity
      await link(old, added)
      expect(await liveDevices(old)).toBe(2)
      await Promise.all(peers.splice(0).map(peer => peer.engine.stop()))
    }
  }, 180_000)

  it('whose last step is lost is finished by the next start, also where the node had taken it', async () => {
    for (const fate of ['lost', 'lost answer'] as const) {
      const { old, added } = await devices(60)
      network.linking.fateOfDevice = fate
      const joined = failure(added.engine.linking.join(await show(old), 'Phone'))
      await step(old, 'asking')
      await old.engine.linking.answer(true)
      expect(await joined).toBe('link-lost')
      await old.engine.linking.cancel()
      expect(await liveDevices(old)).toBe(fate === 'lost' ? 1 : 2)
      network.linking.fateOfDevice = 'taken'
      await added.restart()
      await eventually(async () => (await added.engine.snapshot()).stage === 'ready', 'it has joined')
      expect(await liveDevices(old)).toBe(2)
      await Promise.all(peers.splice(0).map(peer => peer.engine.stop()))
    }
  }, 30_000)

  it('ends when the old device is removed meanwhile', async () => {
    const { old, added } = await devices()
    const second = await peerOf()
    await second.start()
    await link(old, second)
    const joined = failure(added.engine.linking.join(await show(old), 'Phone'))
    await step(old, 'asking')
    await second.engine.online(5_000)
    await second.engine.devices.revoke(old.me.deviceId)
    await old.engine.linking.answer(true)
    expect(await joined).toBe('link-lost')
    expect(stateOf(old)!.failure).toMatchObject({ code: 'held' })
    expect(await liveDevices(old)).toBe(1)
  })

  it('is refused by nodes when the old device is removed after its approval', async () => {
    const { old, added } = await devices()
    const second = await peerOf()
    await second.start()
    await link(old, second)
    await second.engine.online(5_000)
    network.linking.fateOfDevice = 'lost'
    const joined = failure(added.engine.linking.join(await show(old), 'Phone'))
    await step(old, 'asking')
    await old.engine.linking.answer(true)
    await step(added, 'adding')
    await second.engine.devices.revoke(old.me.deviceId)
    network.linking.fateOfDevice = 'taken'
    expect(await joined).toMatch(/^link-(not-accepted|lost)$/)
    expect(await liveDevices(old)).toBe(1)
  })

  it('is refused with a sentence if another old device adds one at the same moment; starting again works', async () => {
    const { old, added } = await devices()
    const [second, other] = [await peerOf(), await peerOf()]
    await second.start()
    await other.start()
    await link(old, second)
    await second.engine.online(5_000)
    // Both records name the same one before them: they are signed before a node has either.
    network.linking.fateOfDevice = 'lost'
    const joined = [
      failure(added.engine.linking.join(await show(old), 'Phone')),
      failure(other.engine.linking.join(await show(second), 'Laptop'))
    ]
    for (const [shower, newcomer] of [
      [old, added],
      [second, other]
    ] as const) {
      await step(shower, 'asking')
      await shower.engine.linking.answer(true)
      await step(newcomer, 'adding')
    }
    network.linking.fateOfDevice = 'taken'
    expect((await Promise.all(joined)).sort()).toEqual(['done', 'link-not-accepted'])
    expect(await liveDevices(old)).toBe(3)
    const refused = (await joined[0]) === 'done' ? other : added
    await step(refused, 'failed')
    await eventually(() => stateOf(old)?.step !== 'adding', 'the old device is ready again')
    await link(old, refused)
    expect(await liveDevices(old)).toBe(4)
  })

  it('on two old devices at once adds both new ones, one after the other', async () => {
    const { old, added } = await devices()
    const second = await peerOf()
    const third = await peerOf()
    await Promise.all([second.start(), third.start()])
    await link(old, second)
    await second.engine.online(5_000)
    const joining = [
      added.engine.linking.join(await show(old), 'A'),
      third.engine.linking.join(await show(second), 'B')
    ]
    await Promise.all([step(old, 'asking'), step(second, 'asking')])
    expect(stateOf(old)!.checkWords).not.toEqual(stateOf(second)!.checkWords)
    await old.engine.linking.answer(true)
    await joining[0]
    await step(old, 'done')
    await second.engine.linking.answer(true)
    await joining[1]
    expect(await liveDevices(old)).toBe(4)
  })

  it('is not for a device that has an account, and a code is not for one without', async () => {
    const { old, added } = await devices()
    expect(await failure(old.engine.linking.join('x', 'y'))).toBe('already-registered')
    expect(await failure(added.engine.linking.show())).toBe('not-registered')
  })
})
