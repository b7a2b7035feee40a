import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PeerError } from '../../../peer/errors.ts'
import { guessDeviceName } from '../../../web/src/state/device-name.ts'
import { NameChoice } from '../../../web/src/state/name-choice.svelte.ts'
import { SignIn } from '../../../web/src/state/sign-in.svelte.ts'
import { UsernameChoice } from '../../../web/src/state/username-choice.svelte.ts'
import { FakePeer } from '../../support/fake-peer.ts'

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(console, 'error').mockImplementation(() => {})
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const suggested = { name: null, deviceName: 'Chrome on Linux' }

describe('choosing a name', () => {
  it('asks about it once typing rests', async () => {
    const peer = new FakePeer()
    const asked = vi.spyOn(peer.account, 'checkName')
    const choice = new NameChoice(peer, suggested)
    for (const typed of ['a', 'ad', 'ada']) choice.typeUsername(typed)
    expect(choice.check).toBe('checking')
    await vi.runAllTimersAsync()
    expect(asked.mock.calls).toEqual([['ada']])
    expect(choice.check).toBe('available')
    expect(choice.missing).toBe('displayName')
  })

  it('says why a name that poses is refused, and takes none of it from the sign-in', async () => {
    const choice = new NameChoice(new FakePeer(), { ...suggested, name: 'Bob ✓ verified' })
    expect(choice.displayName).toBe('')
    expect(choice.nameProblem).toBeNull()
    choice.displayName = '@bob'
    expect(choice.nameProblem).toMatchObject({ code: 'display-name', facts: { fault: 'sign' } })
    expect(await choice.start()).toBe(false)
    choice.displayName = 'Bob'
    expect(choice.nameProblem).toBeNull()
  })

  it('begins with what the sign-in suggests, if that name is free', async () => {
    const peer = new FakePeer()
    const choice = new NameChoice(peer, { ...suggested, name: 'Zoë de l’Été' })
    expect(choice).toMatchObject({ username: 'zoe_de_l_ete', displayName: 'Zoë de l’Été' })
    await vi.runAllTimersAsync()
    expect(choice.missing).toBeNull()
    const taken = new NameChoice(peer, { ...suggested, name: 'Taken' })
    await vi.runAllTimersAsync()
    expect(taken).toMatchObject({ username: '', check: 'empty', displayName: 'Taken' })
    taken.write('taken')
    await vi.runAllTimersAsync()
    expect(taken.check).toBe('taken')
    for (const name of ['Ω', '__', '田中']) expect(new NameChoice(peer, { ...suggested, name }).username).toBe('')
  })

  it('takes off the @ and capitals, and does not ask about what cannot be a name', async () => {
    const peer = new FakePeer()
    const asked = vi.spyOn(peer.account, 'checkName')
    const choice = new NameChoice(peer, suggested)
    choice.typeUsername('@Ada')
    expect(choice.username).toBe('ada')
    choice.typeUsername('a-da')
    await vi.runAllTimersAsync()
    expect(choice.check).toBe('invalid')
    expect(asked).not.toHaveBeenCalled()
  })

  it('ignores the answer about a name that is no longer there', async () => {
    const peer = new FakePeer()
    const answers = new Map<string, (answer: 'available' | 'taken') => void>()
    peer.account.checkName = name => new Promise(resolve => answers.set(name, resolve))
    const choice = new NameChoice(peer, suggested)
    choice.typeUsername('ada')
    await vi.runAllTimersAsync()
    choice.typeUsername('ada_l')
    await vi.runAllTimersAsync()
    answers.get('ada_l')!('available')
    answers.get('ada')!('taken')
    await vi.runAllTimersAsync()
    expect(choice.check).toBe('available')
  })

  it('lets one start when nobody could be asked, and not with a taken name', async () => {
    const peer = new FakePeer()
    peer.account.checkName = async () => {
      throw new PeerError('offline', { origin: null })
    }
    const choice = new NameChoice(peer, suggested)
    choice.typeUsername('ada')
    await vi.runAllTimersAsync()
    expect(choice.check).toBe('unknown')
    choice.displayName = 'Ada'
    expect(choice.missing).toBeNull()
    peer.account.checkName = async () => 'taken'
    choice.typeUsername('bob')
    await vi.runAllTimersAsync()
    expect(choice.missing).toBe('username')
  })

  it('says what is missing, in the order of the form', async () => {
    const choice = new NameChoice(new FakePeer(), suggested)
    choice.write('ada')
    choice.displayName = ' '
    expect(choice.missing).toBe('username')
    await vi.runAllTimersAsync()
    expect(choice.missing).toBe('displayName')
    choice.displayName = 'Ada'
    expect(choice.missing).toBeNull()
  })

  it('names the device itself where that field was emptied', async () => {
    const peer = new FakePeer()
    const register = vi.spyOn(peer.account, 'register')
    const choice = new NameChoice(peer, { ...suggested, name: 'ada' })
    choice.deviceName = ' '
    await vi.runAllTimersAsync()
    await choice.start()
    expect(register).toHaveBeenCalledWith({ username: 'ada', displayName: 'ada', deviceName: 'Chrome on Linux' })
  })

  it('registers once, and keeps the form when that fails', async () => {
    const peer = new FakePeer()
    const register = vi
      .spyOn(peer.account, 'register')
      .mockRejectedValue(new PeerError('name-taken', { username: 'ada' }))
    const choice = new NameChoice(peer, { ...suggested, name: 'ada' })
    await vi.runAllTimersAsync()
    const results = await Promise.all([choice.start(), choice.start()])
    expect(results).toEqual([false, false])
    expect(register).toHaveBeenCalledTimes(1)
    expect(choice.failure).toMatchObject({ code: 'name-taken' })
    expect(choice.starting).toBe(false)
  })
})

describe('choosing another username', () => {
  it('claims a free one, once', async () => {
    const peer = new FakePeer()
    const claim = vi.spyOn(peer.account, 'claimName')
    const choice = new UsernameChoice(peer)
    expect(await choice.claim()).toBe(false)
    choice.typeUsername('taken')
    await vi.runAllTimersAsync()
    expect(await choice.claim()).toBe(false)
    choice.typeUsername('ada_l')
    await vi.runAllTimersAsync()
    expect(await Promise.all([choice.claim(), choice.claim()])).toEqual([true, false])
    expect(claim.mock.calls).toEqual([['ada_l']])
  })

  it('keeps the field, and says why it failed', async () => {
    const peer = new FakePeer()
    vi.spyOn(peer.account, 'claimName').mockRejectedValue(new PeerError('offline', { origin: null }))
    const choice = new UsernameChoice(peer)
    choice.typeUsername('ada_l')
    await vi.runAllTimersAsync()
    expect(await choice.claim()).toBe(false)
    expect(choice.failure).toMatchObject({ code: 'offline' })
    expect(choice.username).toBe('ada_l')
  })
})

describe('signing in', () => {
  const leave = vi.fn<(url: string) => void>()
  beforeEach(() => leave.mockClear())

  it('leaves for the address that the peer gives', async () => {
    const peer = new FakePeer()
    peer.account.startSignIn = async (provider, returnTo) => `https://id.example/${provider}?to=${returnTo}`
    await new SignIn(peer, leave).begin('demo', '/')
    expect(leave).toHaveBeenCalledWith('https://id.example/demo?to=/')
  })

  it('can be begun again by whoever comes back from that address', async () => {
    const signIn = new SignIn(new FakePeer(), leave)
    vi.stubGlobal('location', { origin: 'https://volo.example' })
    await signIn.begin('demo', '/')
    vi.unstubAllGlobals()
    expect(signIn.state).toBe('opening')
    signIn.cameBack()
    expect(signIn.state).toBe('idle')
  })

  it('does not follow an address that is no page', async () => {
    const peer = new FakePeer()
    peer.account.startSignIn = async () => 'javascript:alert(1)'
    const signIn = new SignIn(peer, leave)
    await signIn.begin('demo', '/')
    expect(leave).not.toHaveBeenCalled()
    expect(signIn.state).toBe('unreachable')
  })

  it('can ask for the providers again when the network comes back', async () => {
    const peer = new FakePeer()
    const { providers } = peer.account
    peer.account.providers = async () => {
      throw new PeerError('offline', { origin: null })
    }
    const signIn = new SignIn(peer, leave)
    await signIn.loadProviders()
    expect(signIn.state).toBe('unreachable')
    peer.account.providers = providers
    await signIn.loadProviders()
    expect(signIn.state).toBe('idle')
    expect(signIn.providers).toHaveLength(1)
  })

  it('tells stopping from failing', async () => {
    const signIn = new SignIn(new FakePeer(), leave)
    await signIn.finish(null, 'denied')
    expect(signIn.state).toBe('cancelled')
    await signIn.finish(null, 'server_error')
    expect(signIn.state).toBe('failed')
    await signIn.finish('1f', null)
    expect(signIn.state).toBe('idle')
  })
})

describe('coming back from a sign-in', () => {
  const offline = async () => {
    throw new PeerError('offline', { origin: null })
  }

  it('with a code that is refused says so, and leaves the ways to sign in', async () => {
    const peer = new FakePeer()
    const signIn = new SignIn(peer, () => {})
    await signIn.finish('junk', null)
    expect(signIn).toMatchObject({ state: 'failed', failure: { code: 'sign-in-failed' } })
    expect((await peer.snapshot()).stage).toBe('welcome')
    await signIn.loadProviders()
    expect(signIn.providers).toHaveLength(1)
  })

  it('without a connection keeps the code for another try', async () => {
    const peer = new FakePeer()
    const { finishSignIn } = peer.account
    peer.account.finishSignIn = offline
    const signIn = new SignIn(peer, () => {})
    await signIn.finish('0123', null)
    expect(signIn.state).toBe('unreachable')
    peer.account.finishSignIn = finishSignIn
    await signIn.tryAgain()
    expect(signIn.state).toBe('idle')
    expect((await peer.snapshot()).stage).toBe('choose-name')
  })

  it('can be given up for another sign-in', async () => {
    const peer = new FakePeer()
    const signIn = new SignIn(peer, () => {})
    await signIn.finish('0123', null)
    await signIn.useAnother()
    expect((await peer.snapshot()).stage).toBe('welcome')
  })
})

describe('the name of a device', () => {
  it('is guessed from the browser and the system', () => {
    const linux = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) '
    expect(guessDeviceName(`${linux}Chrome/156.0.0.0 Safari/537.36`)).toBe('Chrome on Linux')
    expect(guessDeviceName(`${linux}Chrome/156.0.0.0 Safari/537.36 Edg/156.0`)).toBe('Edge on Linux')
    expect(
      guessDeviceName('Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile/15E148 Safari/604.1')
    ).toBe('Safari on iPhone')
    expect(guessDeviceName('Mozilla/5.0 (Android 16; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0')).toBe(
      'Firefox on Android'
    )
    expect(guessDeviceName('something else')).toBe('Browser')
  })
})
