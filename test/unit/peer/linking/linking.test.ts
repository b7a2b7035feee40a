import { afterEach, describe, expect, it } from 'vitest'
import { parseLinkCode } from '../../../../protocol/linking/link-code.ts'
import { eventually } from '../../../support/wait-for.ts'
import { devices, failure, link, liveDevices, peerOf, show, stateOf, step, stopLinking } from './linking-stage.ts'

afterEach(stopLinking)

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

  it('gets the history, also where both devices end right after the linking', async () => {
    const { old, added } = await devices()
    const bob = await peerOf()
    await bob.register('bob')
    await old.send(bob, 'before')
    await eventually(async () => (await bob.received(old)).length === 1, 'Bob has it')
    await link(old, added)
    expect((await added.engine.history.status()).state).not.toBe('none')
    await Promise.all([old.restart(), added.crash()])
    const texts = async () => (await added.messages(bob).catch(() => [])).map(({ text }) => text)
    await eventually(async () => (await texts()).includes('before'), {
      what: 'the new device has it',
      timeoutMs: 60_000
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
