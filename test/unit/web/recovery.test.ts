import { afterEach, describe, expect, it, vi } from 'vitest'
import { PeerError } from '../../../peer/errors.ts'
import type { RecoveryState } from '../../../peer/peer-api.ts'
import { Dates } from '../../../web/src/i18n/dates.ts'
import { en } from '../../../web/src/i18n/en/en.ts'
import { AccountRegaining, regainWords } from '../../../web/src/recovery/account-regaining.svelte.ts'
import { CodeMaking } from '../../../web/src/recovery/code-making.svelte.ts'
import { RecoveryOffer } from '../../../web/src/state/recovery-offer.svelte.ts'
import { RecoveryStatus } from '../../../web/src/state/recovery-status.svelte.ts'
import { recoveryWords } from '../../../web/src/state/recovery-words.ts'
import { FakePeer } from '../../support/fake-peer.ts'
import { busyWorld, emptyWorld, fixtureId, me, recordDetails, status } from '../../support/fixture-world.ts'

const NO_CODE: RecoveryState = { isSet: false, waiting: null }
const HOUR_MS = 3_600_000
const CODE = '0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV-WXYZ'
const language = { words: en, dates: new Dates('en-GB', 'UTC') }

afterEach(() => vi.restoreAllMocks())

/** Storage of a browser, in memory. */
function storage(): Storage {
  const kept = new Map<string, string>()
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value)
  } as Storage
}

describe('the offer of a recovery code', () => {
  it('does not come in the first hours, but after a day or twenty messages', () => {
    const offer = new RecoveryOffer(storage(), 0)
    offer.begin()
    expect(offer.isDue(NO_CODE, HOUR_MS)).toBe(false)
    expect(offer.isDue(NO_CODE, 25 * HOUR_MS)).toBe(true)
    for (let i = 0; i < 19; i++) offer.wrote()
    expect(offer.isDue(NO_CODE, HOUR_MS)).toBe(false)
    offer.wrote()
    expect(offer.isDue(NO_CODE, HOUR_MS)).toBe(true)
  })

  it('comes once, whatever the answer, also after a reload', () => {
    const kept = storage()
    const offer = new RecoveryOffer(kept, 0)
    offer.begin()
    expect(new RecoveryOffer(kept, 25 * HOUR_MS).isDue(NO_CODE, 25 * HOUR_MS)).toBe(true)
    offer.finish()
    expect(new RecoveryOffer(kept, 25 * HOUR_MS).isDue(NO_CODE, 99 * HOUR_MS)).toBe(false)
  })

  it('does not come to those who have a code, or of whom that is not known', () => {
    const offer = new RecoveryOffer(null, 0)
    expect(offer.isDue({ ...NO_CODE, isSet: true }, 25 * HOUR_MS)).toBe(false)
    expect(offer.isDue(null, 25 * HOUR_MS)).toBe(false)
  })

  it('comes at once to those whose code was used up', () => {
    const offer = new RecoveryOffer(storage(), 0)
    offer.renew()
    expect(offer.isDue(NO_CODE, 1)).toBe(true)
  })

  it('bears what somebody else wrote into its storage', () => {
    const kept = storage()
    for (const text of [
      '',
      '{',
      'null',
      '{"since":"x","sent":0,"offer":"later"}',
      '{"since":0,"sent":0,"offer":"no"}'
    ]) {
      kept.setItem('volo-recovery-offer', text)
      expect(new RecoveryOffer(kept, 0).isDue(NO_CODE, HOUR_MS), text).toBe(false)
    }
  })
})

describe('the recovery code of an account', () => {
  it('is asked for when the own record changes, and not with every snapshot', async () => {
    const peer = new FakePeer(busyWorld())
    const asked = vi.spyOn(peer.recovery, 'state')
    const known = new RecoveryStatus(peer)
    known.take({ me: me(), status: status({ connection: 'offline' }) })
    expect(asked).not.toHaveBeenCalled()
    known.take({ me: me(), status: status() })
    known.take({ me: me(), status: status() })
    await vi.waitFor(() => expect(known.state).toEqual(NO_CODE))
    expect(asked).toHaveBeenCalledTimes(1)
    known.take({ me: me({ record: recordDetails({ transactionId: 'ff' }) }), status: status() })
    expect(asked).toHaveBeenCalledTimes(2)
    known.take({ me: me({ deviceState: 'removed' }), status: status() })
    expect(known.state).toBeNull()
  })

  it('of another device waits, and can be refused here', async () => {
    const waiting = { byDevice: fixtureId('phone').slice(0, 32), isByThis: false, countsFrom: 4_000_000_000_000 }
    const peer = new FakePeer({ ...busyWorld(), recovery: { isSet: false, waiting } })
    await peer.devices.rename(waiting.byDevice, 'Phone')
    const known = new RecoveryStatus(peer)
    expect(recoveryWords(known, language)).toBe(en.recovery.unknown)
    await known.look()
    expect(recoveryWords(known, language)).toMatch(/^“Phone” made a recovery code.*2096/)
    const making = new CodeMaking(peer, known)
    await making.refuse()
    expect(known.waitingCode).toBeNull()
    expect(recoveryWords(known, language)).toBe(en.recovery.none)
  })

  it('is shown, and becomes the own one only when the person has kept it', async () => {
    const peer = new FakePeer(busyWorld())
    const set = vi.spyOn(peer.recovery, 'set')
    const known = new RecoveryStatus(peer)
    const making = new CodeMaking(peer, known)
    await making.make()
    expect(making.code).toBe(CODE)
    expect(set).not.toHaveBeenCalled()
    set.mockRejectedValueOnce(new PeerError('offline', { origin: null }))
    await making.set()
    expect(making).toMatchObject({ code: CODE, isDone: false, isSetting: false, failure: { code: 'offline' } })
    await making.set()
    expect(making).toMatchObject({ code: null, isDone: true, failure: null })
    expect(recoveryWords(known, language)).toBe(en.recovery.isSet)
  })

  it('is on paper as a line of its own, which is found again in the file', async () => {
    const paper = en.recovery.paper(CODE, 'ada')
    expect(paper.split('\n')).toContain(CODE)
    const regaining = new AccountRegaining(new FakePeer(emptyWorld()), 'Laptop')
    await regaining.readFile(new Blob([paper]))
    expect(regaining.code).toBe(CODE)
  })
})

describe('regaining an account', () => {
  it('asks with the name in the form of usernames, and forgets the code afterwards', async () => {
    const peer = new FakePeer(emptyWorld())
    const use = vi.spyOn(peer.recovery, 'use')
    const regaining = new AccountRegaining(peer, 'Laptop')
    expect(await regaining.regain()).toBe(false)
    Object.assign(regaining, { username: ' @Ada ', code: CODE, deviceName: ' ' })
    expect(await regaining.regain()).toBe(true)
    expect(use).toHaveBeenCalledWith({ username: 'ada', code: CODE, deviceName: 'Laptop' })
    expect(regaining.code).toBe('')
  })

  it('says what was wrong, and keeps what was typed', async () => {
    const regaining = new AccountRegaining(new FakePeer(emptyWorld()), 'Laptop')
    Object.assign(regaining, { username: 'ada', code: '0000' })
    expect(await regaining.regain()).toBe(false)
    expect(regaining.code).toBe('0000')
    expect(regainWords(regaining.failure, en)).toContain('A character of the code is wrong')
    expect(regainWords(new PeerError('no-account'), en)).toBe(en.recovery.noAccount)
    await regaining.readFile(new Blob([new Uint8Array(100_000)]))
    expect(regainWords(regaining.failure, en)).toContain('That is no recovery code')
  })
})
