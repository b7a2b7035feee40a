import { afterEach, describe, expect, it, vi } from 'vitest'
import type { HistoryStatus } from '../../../peer/peer-api.ts'
import { OwnDeviceList } from '../../../web/src/own-devices/own-device-list.svelte.ts'
import { ArrivingHistory } from '../../../web/src/state/arriving-history.svelte.ts'
import { FakePeer } from '../../support/fake-peer.ts'
import { busyWorld, linkingState, me } from '../../support/fixture-world.ts'

afterEach(() => vi.useRealTimers())

const history = (change: Partial<HistoryStatus>): HistoryStatus => ({
  state: 'receiving',
  from: 'ab',
  chats: 0,
  chatsTotal: 32,
  messages: 0,
  shipping: [],
  ...change
})

describe('the own devices', () => {
  it('are renamed and removed, and the list shows it at once', async () => {
    const peer = new FakePeer(busyWorld())
    const list = new OwnDeviceList(peer, me().accountId)
    await list.load()
    expect([list.live.length, list.removed.length]).toEqual([2, 1])
    const [, phone] = list.live
    await list.rename(phone!, 'Phone')
    expect(list.nameOf(phone!.deviceId)).toBe('Phone')
    const removal = list.remove(phone!)
    expect(list.removing).toBe(phone!.deviceId)
    await removal
    expect(list.removing).toBeNull()
    expect([list.live.length, list.removed.length]).toEqual([1, 2])
  })

  it('say how much of the history a new one has', async () => {
    const peer = new FakePeer(busyWorld())
    const list = new OwnDeviceList(peer, me().accountId)
    await list.load()
    const [, phone] = list.live
    expect(list.shippedTo(phone!)).toBeNull()
    const shipping = [{ deviceId: phone!.deviceId, chats: 14, chatsTotal: 32, isDone: false }]
    peer.show({ ...busyWorld(), history: history({ state: 'none', shipping }) })
    await list.load()
    expect(list.shippedTo(phone!)).toMatchObject({ chats: 14, chatsTotal: 32 })
  })

  it('stay on the screen when they cannot be read again', async () => {
    const peer = new FakePeer(busyWorld())
    const list = new OwnDeviceList(peer, me().accountId)
    const read = vi.spyOn(peer.devices, 'list').mockRejectedValueOnce(new Error('offline'))
    await list.load()
    expect(list.failed).toBe(true)
    await list.load()
    read.mockRejectedValueOnce(new Error('offline'))
    await list.load()
    expect(list).toMatchObject({ failed: false, live: { length: 2 } })
  })
})

describe('chats that arrive', () => {
  it('are counted until all are here, and not asked for after that', async () => {
    vi.useFakeTimers()
    const peer = new FakePeer({ ...busyWorld(), history: history({ chats: 14 }) })
    const asked = vi.spyOn(peer.history, 'status')
    const arriving = new ArrivingHistory(peer)
    arriving.take({ stage: 'ready', linking: null })
    await vi.advanceTimersByTimeAsync(0)
    expect(arriving).toMatchObject({ isComing: true, status: { chats: 14 } })
    peer.show({ ...busyWorld(), history: history({ state: 'done', chats: 32 }) })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(arriving.isComing).toBe(false)
    const looks = asked.mock.calls.length
    arriving.take({ stage: 'ready', linking: null })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked).toHaveBeenCalledTimes(looks)
  })

  it('stop with a word when the device that sends them is removed, and after a reload only the list of devices says so', async () => {
    vi.useFakeTimers()
    const peer = new FakePeer({ ...busyWorld(), history: history({ chats: 14 }) })
    const arriving = new ArrivingHistory(peer)
    arriving.take({ stage: 'ready', linking: null })
    await vi.advanceTimersByTimeAsync(0)
    expect(arriving.hasStopped).toBe(false)
    peer.show({ ...busyWorld(), history: history({ state: 'stopped', chats: 14 }) })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(arriving).toMatchObject({ hasStopped: true, isComing: false })
    const reloaded = new ArrivingHistory(peer)
    reloaded.take({ stage: 'ready', linking: null })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(reloaded).toMatchObject({ hasStopped: false, isComing: false })
    const list = new OwnDeviceList(peer, me().accountId)
    await list.load()
    expect(list.stopped).toMatchObject({ chats: 14, chatsTotal: 32 })
  })

  it('are waited for a while on a device that has just joined', async () => {
    vi.useFakeTimers()
    const peer = new FakePeer({ ...busyWorld(), history: history({ state: 'none' }) })
    const arriving = new ArrivingHistory(peer)
    arriving.take({ stage: 'ready', linking: linkingState({ side: 'new', step: 'done' }) })
    expect(arriving.isComing).toBe(true)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(arriving.isComing).toBe(true)
    peer.show({ ...busyWorld(), history: history({ state: 'waiting' }) })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(arriving.isComing).toBe(true)
    arriving.take({ stage: 'welcome', linking: null })
    expect(arriving.isComing).toBe(false)
  })

  it('are not waited for for ever, and not at all on a device that was there before', async () => {
    vi.useFakeTimers()
    const peer = new FakePeer(busyWorld())
    const joined = new ArrivingHistory(peer)
    joined.take({ stage: 'ready', linking: linkingState({ side: 'new', step: 'done' }) })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(joined.isComing).toBe(false)
    const old = new ArrivingHistory(peer)
    old.take({ stage: 'ready', linking: null })
    expect(old.isComing).toBe(false)
  })
})
