import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../../../support/wait-for.ts'
import {
  devices,
  failure,
  link,
  liveDevices,
  network,
  peerOf,
  peers,
  show,
  stateOf,
  step,
  stopLinking
} from './linking-stage.ts'

afterEach(stopLinking)

describe('a linking', () => {
  it('whose connection is lost after any message leaves nothing half-done, and starting again works', async () => {
    for (let kept = 1; kept <= 6; kept++) {
      const { old, added } = await devices(200)
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
  })

  it('goes on where the node was started again while the old device waits', async () => {
    const { old, added } = await devices()
    const code = await show(old)
    const offers = (): number => network.linking.kept.filter(({ index }) => index === 0).length
    network.linking.restart()
    await eventually(() => offers() === 2, 'the offer is there again')
    const joined = added.engine.linking.join(code, 'Phone')
    await step(old, 'asking')
    await old.engine.linking.answer(true)
    await joined
    expect(await liveDevices(old)).toBe(2)
  })

  it('whose last step is lost is finished by the next start, also where the node had taken it', async () => {
    for (const fate of ['lost', 'lost answer'] as const) {
      const { old, added } = await devices(120)
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
  })

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
