import { describe, expect, it, vi } from 'vitest'
import { PeerError } from '../../../peer/errors.ts'
import type { LinkingState, PeerApi } from '../../../peer/peer-api.ts'
import { AccountJoining } from '../../../web/src/linking/account-joining.svelte.ts'
import { CodeCamera } from '../../../web/src/linking/code-camera.svelte.ts'
import { DeviceAdding } from '../../../web/src/linking/device-adding.svelte.ts'
import { remainingTime } from '../../../web/src/linking/remaining-time.ts'
import { LINK_CODE, linkingState } from '../../support/fixture-world.ts'

/** An app in which a linking is as far as the test says. */
function appWith(calls: Partial<PeerApi['linking']> = {}) {
  const asked: string[] = []
  const linking = {
    show: async () => linkingState({ code: LINK_CODE }),
    answer: async (isYes: boolean) => void asked.push(isYes ? 'yes' : 'no'),
    cancel: async () => void asked.push('cancel'),
    join: async () => Promise.reject(new PeerError('internal')),
    ...calls
  } satisfies PeerApi['linking']
  const app = {
    api: { linking } as unknown as PeerApi,
    snapshot: { linking: null as LinkingState | null },
    load: async () => {}
  }
  return {
    app,
    asked,
    at: (change: Partial<LinkingState> | null) => (app.snapshot.linking = change && linkingState(change))
  }
}

describe('the device that adds another one', () => {
  it('shows the code, then asks, then says that it is done', async () => {
    const { app, asked, at } = appWith()
    const adding = new DeviceAdding(app)
    const made = adding.makeCode()
    expect(adding.step).toBe('making')
    at({ code: LINK_CODE })
    await made
    expect(adding.step).toBe('code')
    at({ step: 'asking', code: LINK_CODE, deviceName: 'Phone', checkWords: ['tissue', 'marble'] })
    expect(adding.step).toBe('asking')
    await adding.answer(true)
    expect(asked).toEqual(['yes'])
    at({ step: 'done', deviceName: 'Phone' })
    expect(adding).toMatchObject({ step: 'done', failure: null })
  })

  it('says why it failed, and that another window ended it', async () => {
    const { app, at } = appWith({ show: async () => Promise.reject(new PeerError('offline', { origin: null })) })
    const adding = new DeviceAdding(app)
    expect(adding.step).toBe('idle')
    at({ step: 'failed', failure: { code: 'link-expired', facts: {} } })
    expect(adding).toMatchObject({ step: 'failed', failure: { code: 'link-expired' } })
    await adding.makeCode()
    expect(adding).toMatchObject({ step: 'failed', failure: { code: 'offline' } })
  })

  it('ends a code when its person leaves, but no adding that was agreed to', () => {
    const { app, asked, at } = appWith()
    const adding = new DeviceAdding(app)
    at({ step: 'adding' })
    adding.leave()
    expect(asked).toEqual([])
    at({ step: 'waiting', code: LINK_CODE })
    adding.leave()
    expect(asked).toEqual(['cancel'])
  })

  it('shows how long a code is good', () => {
    expect([600_000, 59_001, 1, 0, -5].map(remainingTime)).toEqual(['10:00', '1:00', '0:01', '0:00', '0:00'])
  })
})

describe('the device that joins', () => {
  const start = { scanned: '', deviceName: 'Chrome on Linux' }

  it('keeps a code that was mistyped, and throws away one that is used', async () => {
    let failure: PeerError = new PeerError('link-code', { fault: 'word' })
    const { app } = appWith({ join: async () => Promise.reject(failure) })
    const joining = new AccountJoining(app, start)
    joining.typed = 'twelve words'
    await joining.join()
    expect(joining).toMatchObject({ step: 'form', typed: 'twelve words', failure })
    failure = new PeerError('link-used')
    await joining.join()
    expect(joining).toMatchObject({ step: 'form', typed: '', failure })
  })

  it('follows the linking, and says nothing of an end that its own person wanted', async () => {
    const join = Promise.withResolvers<never>()
    const { app, asked, at } = appWith({ join: () => join.promise })
    const joining = new AccountJoining(app, start)
    const joined = joining.join('words')
    expect(joining.step).toBe('looking')
    at({ side: 'new', step: 'asking', checkWords: ['tissue', 'marble'] })
    expect(joining.step).toBe('asking')
    joining.leave()
    expect(asked).toEqual(['cancel'])
    at({ side: 'new', step: 'adding' })
    expect(joining.step).toBe('joining')
    joining.leave()
    expect(asked).toEqual(['cancel'])
    at(null)
    join.reject(new PeerError('link-cancelled', { by: 'this' }))
    await joined
    expect(joining).toMatchObject({ step: 'form', failure: null })
  })

  it('has a name even where the field is empty', async () => {
    const named: string[] = []
    const { app } = appWith({
      join: async (_code, name) => {
        named.push(name)
        throw new PeerError('link-unknown')
      }
    })
    const joining = new AccountJoining(app, start)
    joining.deviceName = '  '
    await joining.join('words')
    joining.deviceName = 'Kitchen'
    await joining.join('words')
    expect(named).toEqual(['Chrome on Linux', 'Kitchen'])
  })

  it('shows a failure from before a reload', () => {
    const { app, at } = appWith()
    at({ side: 'new', step: 'failed', failure: { code: 'link-lost', facts: {} } })
    expect(new AccountJoining(app, start)).toMatchObject({ step: 'form', failure: { code: 'link-lost' } })
  })
})

describe('the camera', () => {
  const device = (kind: string) => ({ kind }) as MediaDeviceInfo
  const camera = (getUserMedia: () => Promise<MediaStream>, kinds = ['videoinput']) =>
    new CodeCamera({ getUserMedia, enumerateDevices: async () => kinds.map(device) })

  it('is offered where there is one', async () => {
    const stream = async () => ({}) as MediaStream
    const there = camera(stream)
    const none = camera(stream, ['audioinput'])
    const insecure = new CodeCamera(undefined)
    await Promise.all([there, none, insecure].map(each => each.lookFor()))
    expect([there, none, insecure].map(({ isThere }) => isThere)).toEqual([true, false, false])
  })

  it('says why there is no picture', async () => {
    const problems = await Promise.all(
      ['NotAllowedError', 'NotFoundError', 'NotReadableError'].map(async name => {
        const failing = camera(async () => Promise.reject(new DOMException('no', name)))
        await failing.start()
        return failing.problem
      })
    )
    expect(problems).toEqual(['forbidden', 'missing', 'failed'])
  })

  it('stops also when the picture comes after the person has left', async () => {
    const stop = vi.fn()
    const stream = Promise.withResolvers<MediaStream>()
    const late = camera(() => stream.promise)
    const started = late.start()
    late.stop()
    stream.resolve({ getTracks: () => [{ stop }] } as unknown as MediaStream)
    await started
    expect(stop).toHaveBeenCalledOnce()
    expect(late.stream).toBeNull()
  })
})
