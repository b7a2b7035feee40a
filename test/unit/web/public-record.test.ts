import { afterEach, describe, expect, it, vi } from 'vitest'
import type { RecordAlert } from '../../../peer/peer-api.ts'
import { Dates } from '../../../web/src/i18n/dates.ts'
import { en } from '../../../web/src/i18n/en/en.ts'
import { deviceWords, lastSeenWords, verifyCommand } from '../../../web/src/state/device-words.ts'
import { PublicRecordView } from '../../../web/src/state/public-record-view.svelte.ts'
import { isMoving, watchRecord } from '../../../web/src/state/record-watch.ts'
import { recordWords } from '../../../web/src/state/record-words.ts'
import { trustSign } from '../../../web/src/state/trust-sign.ts'
import { StatusNotice } from '../../../web/src/state/status-notice.svelte.ts'
import { FakePeer } from '../../support/fake-peer.ts'
import {
  busyWorld,
  deviceRecord,
  me,
  PENDING,
  person,
  recordDetails,
  recordPlace,
  status
} from '../../support/fixture-world.ts'

const language = { words: en, dates: new Dates('en-GB', 'UTC') }
const wordsOf = (change: Parameters<typeof recordDetails>[0], alert: RecordAlert | null = null, isMe = false) =>
  recordWords(recordDetails(change), language, { name: 'Ada', isMe, alert, emulated: false, now: Date.now() })

afterEach(() => vi.useRealTimers())

describe('an entry in words', () => {
  it('says while it settles that very recent entries can move, and promises more only afterwards', () => {
    expect(wordsOf({ state: 'recorded', confirmations: 3 }).text).toContain(en.record.settling)
    const { look, text } = wordsOf({ state: 'settled' })
    expect({ look, text }).toEqual({ look: 'recorded', text: expect.stringContaining(en.record.recordedText) })
  })

  it('that one operator gave says so in one grey line, without a warning and without amber', () => {
    const { look, label, text, checked } = wordsOf({ trust: 'L1' })
    expect({ look, label, checked }).toEqual({
      look: 'unknown',
      label: en.record.recorded,
      checked: 'Checked on this device. A second operator would make it stronger.'
    })
    expect(text).not.toMatch(/secret|unconfirmed/i)
    expect(wordsOf({ trust: 'L0' })).toMatchObject({ look: 'unknown' })
  })

  it('that two operators agreed on some time ago says when, and claims no more', () => {
    const agreement = { state: 'lost' as const, at: Date.now() - 3 * 3_600_000 }
    const { checked } = wordsOf({ trust: 'L1', agreement })
    expect(checked).toMatch(/two operators last agreed 3 hours ago/)
  })

  it('that was undone is being recorded, and says that nothing has to be done', () => {
    const { look, text } = recordWords({ ...PENDING, undoneAt: Date.now() }, language, {
      name: 'Ada',
      isMe: true,
      alert: null,
      emulated: false,
      now: Date.now()
    })
    expect({ look, text }).toEqual({ look: 'pending', text: expect.stringContaining('undone') })
  })

  it('with an open alert is never shown as recorded', () => {
    for (const kind of ['key', 'lost-name', 'new-holder', 'recovered', 'withheld'] as const) {
      const { look, label, text } = wordsOf({}, { kind, at: 0, username: 'ada' })
      expect({ look, label }).toEqual({ look: 'mismatch', label: en.record.changed })
      expect(text).toContain('Ada')
    }
  })

  it('that ended speaks of oneself differently', () => {
    expect(wordsOf({ state: 'removed' }).text).toContain('Ada removed')
    expect(wordsOf({ state: 'removed' }, null, true).text).toBe(en.record.removedOwn)
  })
})

describe('the sign beside a name', () => {
  const signOf = (change: Parameters<typeof person>[1]) => trustSign(person('Bob', change), en)?.kind ?? null

  it('is missing in the normal state, whatever the network can prove', () => {
    for (const trust of ['L0', 'L1', 'L2'] as const) {
      for (const state of ['pending', 'recorded', 'settled', 'final', 'not-found'] as const)
        expect(signOf({ record: recordDetails({ trust, state }), nameConfirmed: trust === 'L2' })).toBeNull()
    }
  })

  it('is a check only after comparing, and a cross for a contradiction', () => {
    expect(signOf({ verifiedAt: 1 })).toBe('verified')
    expect(signOf({ verifiedAt: 1, isMe: true })).toBeNull()
    expect(signOf({ verifiedAt: 1, record: recordDetails({ state: 'mismatch' }) })).toBe('contradiction')
    expect(signOf({ verifiedAt: 1, alert: { kind: 'key', at: 0, username: null } })).toBe('contradiction')
    expect(signOf({ record: recordDetails({ state: 'removed' }) })).toBe('removed')
  })
})

describe('a device in words', () => {
  it('goes from being added over settling to recorded, then from removed to removed in a block', () => {
    const states = [
      deviceRecord('a', { added: recordPlace(0) }),
      deviceRecord('a', { added: recordPlace(2) }),
      deviceRecord('a'),
      deviceRecord('a', { removed: recordPlace(0) }),
      deviceRecord('a', { removed: recordPlace(20) })
    ].map(device => deviceWords(device, 1, language))
    expect(states.map(({ look }) => look)).toEqual(['pending', 'recorded', 'recorded', 'removed', 'removed'])
    expect(states.map(({ note }) => note)).toEqual([null, en.devices.settling, null, null, null])
    expect(states[3]!.state).toBe(en.devices.removing)
    expect(states[4]!.state).toMatch(/^Removed on /)
    expect(states[0]!.name).toBe('Device 2')
  })

  it('was last seen within an hour, or longer ago, and nothing is said of the device in hand', () => {
    const now = 1_800_000_000_000
    const said = [1_800_000, 7_200_001].map(ago =>
      lastSeenWords(deviceRecord('a', { lastSeen: now - ago }), language, now)
    )
    expect(said).toEqual([en.devices.seenNow, 'Last seen 2 hours ago'])
    for (const silent of [
      { lastSeen: null },
      { lastSeen: now, isThis: true },
      { lastSeen: now, removed: recordPlace() }
    ])
      expect(lastSeenWords(deviceRecord('a', silent), language, now)).toBeNull()
  })

  it('is checked elsewhere by a command that names the account and every source', () => {
    expect(verifyCommand('ab', ['https://one', 'https://two'])).toBe(
      'npx volo-verify account ab --node https://one --node https://two'
    )
  })
})

describe('a watched record', () => {
  it('is looked at often while something moves, seldom otherwise, and not while nobody looks', async () => {
    vi.useFakeTimers()
    let [looks, moving, visible] = [0, true, true]
    const stop = watchRecord({
      look: () => (looks++ % 2 ? Promise.reject(new Error('offline')) : Promise.resolve()),
      isMoving: () => moving,
      isVisible: () => visible
    })
    await vi.advanceTimersByTimeAsync(9_000)
    expect(looks).toBe(3)
    moving = false
    await vi.advanceTimersByTimeAsync(4_000)
    expect(looks).toBe(4)
    await vi.advanceTimersByTimeAsync(8_000)
    expect(looks).toBe(4)
    visible = false
    await vi.advanceTimersByTimeAsync(60_000)
    expect(looks).toBe(4)
    stop()
    visible = true
    await vi.advanceTimersByTimeAsync(120_000)
    expect(looks).toBe(4)
    expect(['pending', 'recorded', 'mismatch', 'settled', 'final', 'removed'].filter(isMoving)).toHaveLength(3)
  })

  it('is shown, and a person whom nobody knows has none', async () => {
    const peer = new FakePeer(busyWorld())
    const view = new PublicRecordView(peer, me().accountId)
    await view.load()
    expect(view.record!.devices).toHaveLength(3)
    const unknown = new PublicRecordView(peer, 'ff')
    await unknown.load()
    expect(unknown).toMatchObject({ failed: true, record: null })
  })
})

describe('the strip', () => {
  it('says that this device was removed, and nothing of a connection that it cannot have', () => {
    vi.useFakeTimers()
    const notice = new StatusNotice()
    const offline = status({ connection: 'offline', node: null })
    notice.take(offline, me())
    notice.take(offline, me({ deviceState: 'removing' }))
    vi.advanceTimersByTime(10_000)
    expect(notice).toMatchObject({ connection: null, record: 'device-removed' })
  })
})
