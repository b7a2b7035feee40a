import { MessageChannel as NodeChannel } from 'node:worker_threads'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { PeerError, storeFailure } from '../../../peer/errors.ts'
import type { ChatMessage, PeerApi } from '../../../peer/peer-api.ts'
import { leadTabs, tabFrames, type Channel } from '../../../web/src/worker/broadcast-frames.ts'
import { portFrames, type FramePort, type HostFrame, type TabFrame } from '../../../web/src/worker/frames.ts'
import { PeerClient } from '../../../web/src/worker/peer-client.ts'
import { PeerHost, type HostedPeer } from '../../../web/src/worker/peer-host.ts'
import { sharedWorkerFrames } from '../../../web/src/worker/shared-worker-frames.ts'
import { ComposerDraft } from '../../../web/src/state/composer-draft.svelte.ts'
import { ConversationThread } from '../../../web/src/state/conversation-thread.svelte.ts'
import { FakeLock } from '../../support/fake-browser-peer.ts'
import { FakePeer } from '../../support/fake-peer.ts'
import { busyWorld, emptyWorld } from '../../support/fixture-world.ts'
import { passphraseOpener, TestPasskey } from '../../support/peer/browser-profile.ts'
import { waitFor } from '../../support/wait-for.ts'

/** A tab that is connected to a host as through a shared worker. */
function connect(host: PeerHost): PeerClient {
  const { port1, port2 } = new NodeChannel() as unknown as MessageChannel
  const client = new PeerClient(portFrames(port1))
  host.serve(portFrames<HostFrame, TabFrame>(port2))
  onTestFinished(() => port1.close())
  return client
}

const hosted = (api: PeerApi): HostedPeer => ({ api, lock: new FakeLock(), stop: async () => undefined })
const hostThat = (open: (onEnded: () => void) => Promise<PeerApi>) =>
  new PeerHost({
    open: async (_opener, onEnded) => hosted(await open(onEnded)),
    ways: async () => ({ passphrase: false, passkey: null }),
    forget: async () => undefined
  })
const hostOf = (peer: PeerApi) => hostThat(async () => peer)

describe('a peer behind message ports', () => {
  it('answers calls of a tab', async () => {
    const world = busyWorld()
    const { api } = connect(hostOf(new FakePeer(world)))
    expect(await api.snapshot()).toEqual(world.snapshot)
    expect(await api.account.checkName('taken')).toBe('taken')
  })

  it('is opened once for all tabs, at the first call', async () => {
    const open = vi.fn(async () => new FakePeer())
    const host = hostThat(open)
    const [one, two] = [connect(host), connect(host)]
    expect(open).not.toHaveBeenCalled()
    await Promise.all([one.api.snapshot(), two.api.snapshot(), one.api.account.providers()])
    expect(open).toHaveBeenCalledTimes(1)
  })

  it('tells every tab what happens, until the tab leaves', async () => {
    const peer = new FakePeer()
    const host = hostOf(peer)
    const [staying, leaving] = [connect(host), connect(host)]
    const heard = { staying: 0, leaving: 0 }
    staying.api.on('snapshot', () => heard.staying++)
    leaving.api.on('snapshot', () => heard.leaving++)
    await Promise.all([staying.api.snapshot(), leaving.api.snapshot()])
    peer.show(emptyWorld())
    await waitFor(() => expect(heard).toEqual({ staying: 1, leaving: 1 }))
    leaving.leave()
    await leaving.api.snapshot()
    peer.show(emptyWorld())
    await waitFor(() => expect(heard.staying).toBe(2))
    expect(heard.leaving).toBe(1)
  })

  it('stops telling a listener that was taken away', async () => {
    const peer = new FakePeer()
    const { api } = connect(hostOf(peer))
    const listener = vi.fn()
    const stop = api.on('snapshot', listener)
    await api.snapshot()
    stop()
    peer.show(emptyWorld())
    await api.snapshot()
    expect(listener).not.toHaveBeenCalled()
  })

  it('passes errors on with their code and facts', async () => {
    const peer = new FakePeer()
    peer.messages.sendText = async () => {
      throw new PeerError('held', { reason: 'contradicted', username: 'bob' })
    }
    const { api } = connect(hostOf(peer))
    const failure = await api.messages.sendText('ab', 'hello').catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(PeerError)
    expect(failure).toMatchObject({ code: 'held', facts: { reason: 'contradicted', username: 'bob' } })
  })

  it('tells nothing about an unexpected error', async () => {
    const reported = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => reported.mockRestore())
    const peer = new FakePeer()
    peer.snapshot = async () => {
      throw new Error('secret path /home/ada')
    }
    const { api } = connect(hostOf(peer))
    await expect(api.snapshot()).rejects.toMatchObject({ code: 'internal' })
    await expect(api.snapshot()).rejects.not.toThrow(/secret/)
  })

  it('takes a failure that is malformed for an internal one', async () => {
    const malformed = [null, 'offline', { code: 'offline' }, { code: 'no such code', facts: {} }, { code: 'toString' }]
    let take: (frame: HostFrame) => void = () => {}
    const calls: TabFrame[] = []
    const { api } = new PeerClient({ send: frame => calls.push(frame), listen: onFrame => (take = onFrame) })
    take({ kind: 'hello' })
    for (const failure of malformed) {
      const call = api.snapshot()
      take({ kind: 'failure', id: calls.length, failure: failure as never })
      await expect(call).rejects.toMatchObject({ code: 'internal', facts: {} })
    }
  })

  it('can be opened again after it could not', async () => {
    const open = vi
      .fn<() => Promise<PeerApi>>()
      .mockRejectedValueOnce(storeFailure('not-writable', 'volo-store'))
      .mockResolvedValueOnce(new FakePeer())
    const { api } = connect(hostThat(open))
    await expect(api.snapshot()).rejects.toMatchObject({ code: 'store' })
    await expect(api.snapshot()).resolves.toMatchObject({ stage: 'welcome' })
  })

  it('is opened again when it ends by itself, and every tab hears of the next one', async () => {
    const worlds = [emptyWorld(), busyWorld()]
    let end = () => {}
    const host = hostThat(async onEnded => {
      end = onEnded
      return new FakePeer(worlds.shift())
    })
    const { api } = connect(host)
    expect(await api.snapshot()).toMatchObject({ stage: 'welcome' })
    const heard = vi.fn()
    api.on('snapshot', heard)
    end()
    await waitFor(() => expect(heard).toHaveBeenCalledWith(expect.objectContaining({ stage: 'ready' })))
  })

  it('refuses calls that are not on the list', async () => {
    const frames: HostFrame[] = []
    let take: (frame: TabFrame) => void = () => {}
    const port: FramePort<HostFrame, TabFrame> = {
      send: frame => frames.push(frame),
      listen: onFrame => (take = onFrame)
    }
    hostOf(new FakePeer()).serve(port)
    const unlisted = [
      ['messages', 'constructor'],
      ['messages', 'open'],
      ['constructor', 'name'],
      ['', 'stop'],
      ['account', 'settleName']
    ]
    for (const [id, [area, method]] of unlisted.entries()) {
      take({ kind: 'call', id, area: area!, method: method!, args: [] })
      await waitFor(() =>
        expect(frames.at(-1)).toMatchObject({ kind: 'failure', id, failure: { code: 'malformed-call' } })
      )
    }
  })
})

describe('a peer in the leading tab', () => {
  /** BroadcastChannel of one process, closed with the test. */
  function channel(): Channel {
    const made = new BroadcastChannel('volo-peer-test')
    onTestFinished(() => made.close())
    return made as unknown as Channel
  }

  const lead = (peer: PeerApi) => {
    const host = hostOf(peer)
    leadTabs(channel(), tab => host.serve(tab))
  }

  it('answers tabs that came before and after it', async () => {
    const early = new PeerClient(tabFrames(channel(), 'early'))
    const answer = early.api.snapshot()
    lead(new FakePeer())
    const late = new PeerClient(tabFrames(channel(), 'late'))
    expect(await answer).toMatchObject({ stage: 'welcome' })
    expect(await late.api.snapshot()).toMatchObject({ stage: 'welcome' })
  })

  it('hands over without being asked: tabs hear from the new one', async () => {
    lead(new FakePeer())
    const { api } = new PeerClient(tabFrames(channel(), 'tab'))
    await api.snapshot()
    const heard = vi.fn()
    api.on('snapshot', heard)
    const successor = new FakePeer(busyWorld())
    lead(successor)
    await waitFor(() => expect(heard).toHaveBeenCalledWith(expect.objectContaining({ stage: 'ready' })))
    successor.show(emptyWorld())
    await waitFor(() => expect(heard).toHaveBeenLastCalledWith(expect.objectContaining({ stage: 'welcome' })))
  })

  it('hands over: repeatable calls are made again, others are given up', async () => {
    const stuck = new FakePeer()
    stuck.snapshot = () => new Promise(() => {})
    const sending = vi.fn(() => new Promise<ChatMessage>(() => {}))
    stuck.messages.sendText = sending
    lead(stuck)
    const { api } = new PeerClient(tabFrames(channel(), 'tab'))
    const snapshot = api.snapshot()
    const sent = api.messages.sendText('ab', 'hello')
    await waitFor(() => expect(sending).toHaveBeenCalled())
    // The tab that led is closed; another one takes over.
    const successor = hostOf(new FakePeer())
    leadTabs(channel(), tab => successor.serve(tab))
    await expect(sent).rejects.toMatchObject({ code: 'interrupted' })
    expect(await snapshot).toMatchObject({ stage: 'welcome' })
  })

  it('has a chat that is open read again, so that what was stored before is seen', async () => {
    const world = busyWorld()
    const [id, messages] = Object.entries(world.messages)[0]!
    const dying = new FakePeer(world)
    dying.messages.sendText = () => new Promise(() => {})
    lead(dying)
    const { api } = new PeerClient(tabFrames(channel(), 'tab'))
    const thread = new ConversationThread(api, id, 0)
    onTestFinished(() => thread.close())
    await thread.open()
    const draft = new ComposerDraft(api, id, '')
    draft.text = 'mine'
    const sending = draft.send()
    // Stored by the peer that led, which did not get to answer.
    const stored = { ...messages[0]!, id: 'stored', text: 'mine', mine: true }
    lead(new FakePeer({ ...world, messages: { ...world.messages, [id]: [...messages, stored] } }))
    expect(await sending).toBe(false)
    expect(draft.text).toBe('mine')
    await waitFor(() => expect(thread.messages.at(-1)?.id).toBe('stored'))
  })
})

describe('a shared worker that ended', () => {
  /** Workers, each with a host of its own; ending one frees the lock that it holds. */
  function workers() {
    const free = new Map<string, () => void>()
    vi.stubGlobal('navigator', {
      locks: { request: (name: string, _: unknown, granted: () => void) => void free.set(name, granted) }
    })
    onTestFinished(() => void vi.unstubAllGlobals())
    const sent: string[][] = []
    const start = () => {
      const { port1, port2 } = new NodeChannel() as unknown as MessageChannel
      onTestFinished(() => port1.close())
      const peer = new FakePeer()
      const texts: string[] = []
      sent.push(texts)
      peer.messages.sendText = (_, text) => {
        texts.push(text)
        // The first one never answers.
        return sent.length === 1 ? new Promise(() => {}) : Promise.resolve({} as ChatMessage)
      }
      hostOf(peer).serve(portFrames<HostFrame, TabFrame>(port2), `life ${sent.length}`)
      return { port: port1, addEventListener: () => {} }
    }
    return { sent, start, end: (number: number) => free.get(`life ${number}`)!() }
  }

  it('is started again: what it had not answered is given up, what was asked since is asked of the next', async () => {
    const { sent, start, end } = workers()
    const { api } = new PeerClient(sharedWorkerFrames(start))
    await api.snapshot()
    const lost = api.messages.sendText('ab', 'under way')
    await waitFor(() => expect(sent[0]).toEqual(['under way']))
    end(1)
    const since = api.messages.sendText('ab', 'since')
    await expect(lost).rejects.toMatchObject({ code: 'interrupted' })
    await since
    expect(sent).toEqual([['under way'], ['since']])
  })

  it('tells a tab everything once, though it runs on after a mistake', async () => {
    const peer = new FakePeer(busyWorld())
    const host = hostOf(peer)
    const fail: (() => void)[] = []
    const start = () => {
      const { port1, port2 } = new NodeChannel() as unknown as MessageChannel
      onTestFinished(() => port1.close())
      host.serve(portFrames<HostFrame, TabFrame>(port2))
      return { port: port1, addEventListener: (_: 'error', listener: () => void) => void fail.push(listener) }
    }
    const { api } = new PeerClient(sharedWorkerFrames(start))
    const [conversation] = (await api.snapshot()).conversations
    fail[0]!()
    await waitFor(() => expect(fail).toHaveLength(2))
    await api.snapshot()
    const heard = vi.fn()
    api.on('message', heard)
    await api.messages.sendText(conversation!.id, 'once')
    const ids = heard.mock.calls.map(([message]) => JSON.stringify(message))
    expect(ids).not.toEqual([])
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('the lock of a browser, behind message ports', () => {
  /** A host whose peer needs the passphrase `right` once it is locked. */
  function lockedHost() {
    const world = busyWorld()
    const state = { isLocked: true, stops: 0, forgotten: 0, answer: null as Uint8Array | null }
    const lock = new FakeLock()
    const host = new PeerHost({
      async open(opener) {
        if (state.isLocked && !opener) throw storeFailure('locked', 'volo-keys')
        state.answer = opener?.way === 'passkey' ? opener.answer.expose().slice() : null
        const isRight = opener?.way === 'passkey' || opener?.passphrase === 'right'
        if (state.isLocked && !isRight) throw storeFailure('passphrase-wrong', 'volo-keys')
        return { api: new FakePeer(world), lock, stop: async () => void state.stops++ }
      },
      ways: async () => ({ passphrase: true, passkey: null }),
      async forget() {
        state.forgotten++
        state.isLocked = false
      }
    })
    return { host, state, world }
  }

  it('opens for every tab once one of them gives the passphrase', async () => {
    const { host, world } = lockedHost()
    const [one, two] = [connect(host), connect(host)]
    const heard = vi.fn()
    two.api.on('snapshot', heard)
    await expect(one.api.snapshot()).rejects.toMatchObject({ facts: { fault: 'locked' } })
    await expect(one.lock.unlock(passphraseOpener('wrong'))).rejects.toMatchObject({
      facts: { fault: 'passphrase-wrong' }
    })
    await expect(one.lock.state()).rejects.toMatchObject({ facts: { fault: 'locked' } })
    // Also while other calls try without it.
    void two.api.account.providers().catch(() => undefined)
    await one.lock.unlock(passphraseOpener('right'))
    await waitFor(() => expect(heard).toHaveBeenCalledWith(world.snapshot))
    expect(await two.api.snapshot()).toEqual(world.snapshot)
  })

  it('shuts every tab at once', async () => {
    const { host, state } = lockedHost()
    const [one, two] = [connect(host), connect(host)]
    await one.lock.unlock(passphraseOpener('right'))
    await two.api.snapshot()
    const shut = [vi.fn(), vi.fn()] as const
    one.lock.onLocked(shut[0])
    two.lock.onLocked(shut[1])
    await two.lock.lockNow()
    await waitFor(() => shut.forEach(listener => expect(listener).toHaveBeenCalled()))
    expect(state.stops).toBe(1)
    await expect(one.api.snapshot()).rejects.toMatchObject({ facts: { fault: 'locked' } })
  })

  it('can be given up with everything behind it, while it is shut and while it is open', async () => {
    const { host, state } = lockedHost()
    const { api, lock } = connect(host)
    await expect(api.snapshot()).rejects.toMatchObject({ facts: { fault: 'locked' } })
    await lock.forget()
    expect(state).toMatchObject({ forgotten: 1, stops: 0 })
    await api.snapshot()
    await lock.forget()
    expect(state).toMatchObject({ forgotten: 2, stops: 1 })
  })

  it('says which ways open it while it is shut', async () => {
    const { lock } = connect(lockedHost().host)
    expect(await lock.ways()).toEqual({ passphrase: true, passkey: null })
  })

  it('hands what a passkey answers to the worker, and keeps it at neither end', async () => {
    const { host, state } = lockedHost()
    const { lock } = connect(host)
    const opener = new TestPasskey().opener()
    const answer = opener.answer.expose()
    const answered = answer.slice()
    await lock.unlock(opener)
    expect(state.answer).toEqual(answered)
    expect(answer).toEqual(new Uint8Array(32))
  })

  it('refuses calls that are not on its list, and arguments that open no lock', async () => {
    const frames: HostFrame[] = []
    let take: (frame: TabFrame) => void = () => {}
    lockedHost().host.serve({ send: frame => frames.push(frame), listen: onFrame => (take = onFrame) })
    take({ kind: 'lock', id: 1, method: 'constructor', args: [] })
    const passphrase = { way: 'passphrase', passphrase: 'right' }
    const passkey = { way: 'passkey', credentialId: 'aa', salt: '00'.repeat(32), answer: new Uint8Array(32) }
    const unfit: [string, unknown[]][] = [
      ['unlock', ['right']],
      ['unlock', [{}]],
      ['unlock', [{ ...passphrase, passphrase: 'x'.repeat(257) }]],
      ['unlock', [{ ...passkey, answer: new Uint8Array(31) }]],
      ['unlock', [{ ...passkey, salt: '00' }]],
      ['unlock', [{ ...passkey, credentialId: 'aaa' }]],
      ['unlock', [{ ...passkey, credentialId: 'aa'.repeat(1024) }]],
      ['replace', [[passphrase, passphrase], null]],
      ['replace', [passphrase, null]],
      ['add', [passphrase, null]]
    ]
    for (const [id, [method, args]] of unfit.entries()) take({ kind: 'lock', id: id + 2, method, args })
    await waitFor(() => expect(frames.filter(({ kind }) => kind === 'failure')).toHaveLength(unfit.length + 1))
    for (const frame of frames.slice(1)) expect(frame).toMatchObject({ failure: { code: 'malformed-call' } })
  })
})
