import { afterEach, describe, expect, it, vi } from 'vitest'
import { displayNameOrEmpty } from '../../../protocol/identity/display-name.ts'
import { PeerError, storeFailure } from '../../../peer/errors.ts'
import { Dates } from '../../../web/src/i18n/dates.ts'
import { en } from '../../../web/src/i18n/en/en.ts'
import { GroupInvitation } from '../../../web/src/groups/group-invitation.svelte.ts'
import { Invitation } from '../../../web/src/invites/invitation.svelte.ts'
import { AppLock } from '../../../web/src/lock/app-lock.svelte.ts'
import { links, parseRoute } from '../../../web/src/state/routes.ts'
import { Announcer } from '../../../web/src/state/announcer.svelte.ts'
import { Appearance } from '../../../web/src/state/appearance.svelte.ts'
import { findChats } from '../../../web/src/state/chat-search.ts'
import { hueOf, initialsOf } from '../../../web/src/state/face.ts'
import { ChatSwitcher } from '../../../web/src/state/chat-switcher.svelte.ts'
import { KeptStorage } from '../../../web/src/state/kept-storage.svelte.ts'
import { MAX_LIST_WIDTH, MIN_LIST_WIDTH, PaneWidth } from '../../../web/src/state/pane-width.svelte.ts'
import { PeopleFinder } from '../../../web/src/state/people-finder.svelte.ts'
import { namesakesOf } from '../../../web/src/state/person-name.ts'
import { PersonView } from '../../../web/src/state/person-view.svelte.ts'
import { Router, type AddressBar } from '../../../web/src/state/router.svelte.ts'
import { sealPath, sealPetals } from '../../../web/src/state/seal-petals.ts'
import { shortcutOf } from '../../../web/src/state/shortcuts.ts'
import { AccountLinks } from '../../../web/src/state/account-links.svelte.ts'
import { SignIn } from '../../../web/src/state/sign-in.svelte.ts'
import { VoloApp } from '../../../web/src/state/volo-app.svelte.ts'
import type { LockApi } from '../../../web/src/worker/lock-api.ts'
import { FakePeer } from '../../support/fake-peer.ts'
import {
  busyWorld,
  conversationId,
  emptyWorld,
  fixtureId,
  linkingWorld,
  message,
  person,
  type World
} from '../../support/fixture-world.ts'
import { GROUP_ID, groupWorld } from '../../support/group-world.ts'

afterEach(() => vi.useRealTimers())

describe('names', () => {
  it('that look alike are told apart by their usernames, ours among them', () => {
    const people = [
      { accountId: '1', displayName: 'Сара', username: 'sara' },
      { accountId: '2', displayName: 'Capa', username: 'capa' },
      { accountId: '3', displayName: 'Ada', username: 'ada' },
      { accountId: '3', displayName: 'Ada', username: 'ada' },
      { accountId: '4', displayName: '👩', username: 'eve' },
      { accountId: '5', displayName: '👨', username: 'bob' },
      { accountId: '6', displayName: null, username: null }
    ]
    expect([...namesakesOf(people)]).toEqual(['1', '2'])
  })

  it('cannot be the words that the app has for people', () => {
    const { you, notesToSelf, unnamed } = en.common
    for (const words of [you, notesToSelf, unnamed]) expect(displayNameOrEmpty(words)).toBe('')
  })
})

function appWith(world: World, hash = '', storage: Storage | null = null, tab: Storage | null = null) {
  vi.useFakeTimers()
  const location = { hash, pathname: '/', search: '' }
  const history = {
    replaceState: (_data: unknown, _unused: string, url: string) => void (location.hash = url.slice(url.indexOf('#')))
  }
  const bar: AddressBar = { location, history, addEventListener: () => {} }
  const peer = new FakePeer(world)
  let lockOut = () => {}
  const lock = {
    onLocked: (listener: () => void) => {
      lockOut = listener
      return () => {}
    }
  } as LockApi
  const app = new VoloApp({
    api: peer,
    router: new Router(bar),
    languages: { current: { words: en, dates: new Dates('en-GB', 'UTC') } },
    announcer: new Announcer(() => en),
    signIn: new SignIn(peer, () => {}),
    accountLinks: new AccountLinks(peer, () => {}),
    lock: new AppLock(lock, () => {}),
    invitation: new Invitation(peer, tab, 'https://volo.example'),
    groupInvitation: new GroupInvitation(peer, tab, 'https://volo.example'),
    storage
  })
  return { app, peer, location, lockOut: () => lockOut() }
}

function memoryStorage(): Storage {
  const items = new Map<string, string>()
  return {
    getItem: key => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: key => void items.delete(key),
    clear: () => items.clear(),
    key: index => [...items.keys()][index] ?? null,
    get length() {
      return items.size
    }
  }
}

describe('the address of a QR code', () => {
  it('leaves the address bar with its code, which is not used before the person says so', async () => {
    const { app, peer, location } = appWith(emptyWorld(), '#/link/c2VjcmV0')
    const join = vi.spyOn(peer.linking, 'join')
    await app.start()
    expect(location.hash).toBe('#/link')
    expect(app.linkCode).toBe('#/link/c2VjcmV0')
    expect(join).not.toHaveBeenCalled()
  })

  it('is left once the device is on the account', async () => {
    const { app, peer } = appWith(linkingWorld(emptyWorld(), { side: 'new', step: 'adding' }), '#/link')
    await app.load()
    peer.show(busyWorld())
    await app.load()
    expect(app.router.route).toEqual({ screen: 'chats' })
  })
})

describe('a link to a group', () => {
  it('leaves the address bar, survives the page, and is used when the user says so', async () => {
    const tab = memoryStorage()
    const first = appWith(groupWorld(), `#join/${'A'.repeat(64)}`, null, tab)
    first.app.takeGroupLink()
    expect(first.location.hash).toBe('#/')
    const { app, peer, location } = appWith(groupWorld(), '', null, tab)
    const join = vi.spyOn(peer.groups, 'join')
    expect(app.groupInvitation.link).toBe(`https://volo.example/#join/${'A'.repeat(64)}`)
    expect(join).not.toHaveBeenCalled()
    await app.joinGroup()
    expect(join).toHaveBeenCalledWith(`https://volo.example/#join/${'A'.repeat(64)}`)
    expect(app.groupInvitation.link).toBeNull()
    expect(tab.getItem('volo-group-link')).toBeNull()
    expect(location.hash).toMatch(/^#\/chats\//)
  })
})

describe('pages about members', () => {
  it('open beside the chat of their group, and by themselves elsewhere', async () => {
    const bob = person('Bob').accountId
    const { app } = appWith(groupWorld(), `#/chats/${GROUP_ID}/group`)
    await app.load()
    expect(app.openConversationId).toBe(GROUP_ID)
    expect(app.linksOf(bob).check).toBe(links.threadPerson(GROUP_ID, 'check', bob))
    app.router.go(links.chats)
    expect(appWith(groupWorld()).app.linksOf(bob).check).toBe(links.safetyCheck(bob))
  })
})

describe('an invitation', () => {
  const code = 'A'.repeat(40)
  const link = `#/i/${code}`

  it('leaves the address bar, waits while a person signs up, and is accepted once they have', async () => {
    const tab = memoryStorage()
    const first = appWith(emptyWorld(), link, null, tab)
    await first.app.load()
    first.app.takeInvitation()
    expect(first.location.hash).toBe('#/')
    await first.app.invitation.look()
    expect(first.app.invitation.preview).toMatchObject({ displayName: 'Ada', state: 'open' })
    // Signing in leaves the page; the tab keeps the link.
    const { app, peer } = appWith(emptyWorld(), '', null, tab)
    await app.load()
    expect(app.invitation.address).toBe(`https://volo.example/${link}`)
    const accepted: string[] = []
    const accept = peer.invites.accept
    peer.invites.accept = async address => {
      accepted.push(address)
      return accept(address)
    }
    peer.show(busyWorld())
    await app.load()
    await vi.waitFor(() => expect(accepted).toEqual([`https://volo.example/${link}`]))
    await vi.waitFor(() => expect(app.invitation.address).toBeNull())
    expect(tab.getItem('volo-invitation')).toBeNull()
  })

  it('asks a person who has an account, and stays good when they say not now', async () => {
    const { app, peer } = appWith(busyWorld(), link)
    await app.load()
    app.takeInvitation()
    expect(app.invitation.address).not.toBeNull()
    peer.invites.accept = async () => {
      throw new PeerError('invite-over')
    }
    await app.acceptInvitation()
    expect(app.invitation.failure).toMatchObject({ code: 'invite-over' })
    expect(app.invitation.address).not.toBeNull()
    app.invitation.putAway()
    expect(app.invitation.address).toBeNull()
  })

  it('is a link of a sound form only', () => {
    expect(parseRoute('#/i/AAAA')).toEqual({ screen: 'not-found' })
    expect(parseRoute(`#/i/${code}/x`)).toEqual({ screen: 'not-found' })
    expect(parseRoute(`#/i/${code}%22`)).toEqual({ screen: 'not-found' })
  })
})

describe('the app', () => {
  it('says that the browser deleted an account that was open', async () => {
    const { app, peer } = appWith(busyWorld())
    await app.load()
    expect(app.wasCleared).toBe(false)
    peer.show(emptyWorld())
    await app.load()
    expect(app.snapshot?.stage).toBe('welcome')
    expect(app.wasCleared).toBe(true)
  })

  it('says so also where the browser did that while the app was closed', async () => {
    const storage = memoryStorage()
    await appWith(busyWorld(), '', storage).app.load()
    const { app, peer } = appWith(emptyWorld(), '', storage)
    await app.load()
    expect(app.wasCleared).toBe(true)
    peer.show(busyWorld())
    await app.load()
    expect(app.wasCleared).toBe(false)
    // The other way round nothing is lost but looks: there is an account.
    storage.clear()
    const other = appWith(busyWorld(), '', storage).app
    await other.load()
    expect(other.wasCleared).toBe(false)
    // And a newcomer has lost nothing.
    const newcomer = appWith(emptyWorld(), '', memoryStorage()).app
    await newcomer.load()
    expect(newcomer.wasCleared).toBe(false)
  })

  it('offers to begin again where what is left can never be opened, and only there', async () => {
    const { app, peer } = appWith(emptyWorld())
    for (const [fault, isBeyondRepair] of [
      ['key-missing', true],
      ['key-damaged', true],
      ['full', false],
      ['in-use', false]
    ] as const) {
      peer.snapshot = async () => {
        throw storeFailure(fault, 'volo-keys')
      }
      await app.load()
      expect(app.startFailure).not.toBeNull()
      expect(app.isBeyondRepair).toBe(isBeyondRepair)
    }
  })

  it('asks for the passphrase of a locked browser, and keeps nothing on the page once another tab locks it', async () => {
    const { app, peer, lockOut } = appWith(busyWorld())
    const { snapshot } = peer
    peer.snapshot = async () => {
      throw storeFailure('locked', 'volo-keys')
    }
    await app.start()
    expect(app.lock.isShut).toBe(true)
    expect(app.startFailure).toBeNull()
    peer.snapshot = snapshot
    await app.load()
    expect(app.lock.isShut).toBe(false)
    expect(app.conversations.length).toBeGreaterThan(0)
    lockOut()
    expect(app.lock.isShut).toBe(true)
    expect(app.snapshot).toBeNull()
  })

  it('hands in a sign-in code, having taken it out of the address first', async () => {
    const { app, peer, location } = appWith(emptyWorld(), '#/signed-in?code=0123')
    const seen: string[] = []
    peer.account.finishSignIn = async code => void seen.push(code, location.hash)
    await app.start()
    expect(seen).toEqual(['0123', '#/'])
  })

  it('shows conversations newest first, and counts what is unread', async () => {
    const { app } = appWith(busyWorld())
    await app.start()
    const times = app.conversations.map(each => each.updatedAt)
    expect(times).toEqual(times.toSorted((a, b) => b - a))
    expect(app.unread).toBe(2)
  })

  it('says in plain words when the peer cannot start, and can try again', async () => {
    const { app, peer } = appWith(emptyWorld())
    const { snapshot } = peer
    peer.snapshot = async () => {
      throw storeFailure('not-opened', 'volo-store')
    }
    await app.start()
    expect(app.startFailure).toMatch(/storage of this browser fails.*Nothing was changed/)
    peer.snapshot = snapshot
    await app.load()
    expect(app.startFailure).toBeNull()
  })

  it('reads a message out with the name of its author, not with an id', async () => {
    const world = busyWorld()
    const { app, peer } = appWith(world)
    await app.start()
    const bob = person('Bob')
    const id = conversationId(bob)
    const arrived = { ...message(bob, 0, 'Hello'), fromName: bob.accountId }
    peer.show({ ...world, messages: { ...world.messages, [id]: [...world.messages[id]!, arrived] } })
    await vi.advanceTimersByTimeAsync(1_500)
    expect(app.announcer.text).toBe('Bob: Hello')
  })

  it('leads to the pages about a person beside the chat that is open with them', async () => {
    const { app } = appWith(busyWorld())
    await app.start()
    const bob = person('Bob')
    expect(app.linksOf(bob.accountId).check).toBe(`#/people/${bob.accountId}/check`)
    app.router.replace(`#/chats/${conversationId(bob)}`)
    expect(app.linksOf(bob.accountId).check).toBe(`#/chats/${conversationId(bob)}/check`)
    expect(app.linksOf(fixtureId('Zoe')).check).toContain('#/people/')
  })

  it('steps through the chats in their order, and stops at the ends', async () => {
    const { app, location } = appWith(busyWorld())
    await app.start()
    app.stepChat(1)
    expect(location.hash).toBe(`#/chats/${app.conversations[0]!.id}`)
  })

  it('says of an emulated record that it proves nothing outside', async () => {
    const { app } = appWith(busyWorld())
    await app.start()
    expect(app.recordWords(person('Bob')).text).toContain('practice network')
    expect(app.recordWords(person('Bob')).text).not.toContain('Nobody')
  })
})

describe('searching chats', () => {
  const { conversations } = busyWorld().snapshot

  it('finds parts of names, usernames and last messages, without case and accents', () => {
    expect(findChats(conversations, 'BABB').map(each => each.title)).toEqual(['Charles Babbage'])
    expect(findChats(conversations, '@countess').map(each => each.title)).toHaveLength(1)
    expect(findChats(conversations, 'connexión').map(each => each.title)).toEqual(['Mary Somerville'])
    expect(findChats(conversations, 'zuse')).toEqual([])
    expect(findChats(conversations, '  ')).toHaveLength(conversations.length)
  })

  it('by keyboard moves around the ends', () => {
    const switcher = new ChatSwitcher(() => conversations)
    switcher.open()
    switcher.move(-1)
    expect(switcher.chosenChat).toBe(conversations.at(-1))
    switcher.type('bob')
    expect(switcher.chosenChat?.id).toBe(conversationId(person('Bob')))
    switcher.type('nobody')
    switcher.move(1)
    expect(switcher.chosenChat).toBeUndefined()
  })
})

describe('finding people', () => {
  it('looks a name up, with or without the @', async () => {
    const finder = new PeopleFinder(new FakePeer())
    finder.type(' @Grace_Hopper ')
    await finder.look()
    expect(finder.state).toMatchObject({ kind: 'found', person: { username: 'grace_hopper' } })
  })

  it('says who was not found, and what cannot be a name', async () => {
    const finder = new PeopleFinder(new FakePeer())
    finder.type('nobody')
    await finder.look()
    expect(finder.state).toEqual({ kind: 'nobody', username: 'nobody', isFinal: false })
    finder.type('no-name')
    await finder.look()
    expect(finder.state).toEqual({ kind: 'invalid' })
  })

  it('looks again for a name that is not there yet, and gives up in the end', async () => {
    vi.useFakeTimers()
    const world = emptyWorld()
    const peer = new FakePeer(world)
    const asked = vi.spyOn(peer.people, 'find')
    const finder = new PeopleFinder(peer)
    finder.type('late')
    await finder.look()
    await vi.advanceTimersByTimeAsync(7_000)
    world.people.push(person('Late'))
    await vi.advanceTimersByTimeAsync(3_000)
    expect(finder.state).toMatchObject({ kind: 'found', person: { username: 'late' } })
    finder.type('nobody')
    await finder.look()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(finder.state).toEqual({ kind: 'nobody', username: 'nobody', isFinal: true })
    asked.mockClear()
    finder.type('nobody_else')
    await finder.look()
    finder.stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked).toHaveBeenCalledTimes(1)
  })

  it('forgets the answer to what is no longer asked', async () => {
    const finder = new PeopleFinder(new FakePeer())
    finder.type('zoe')
    const looking = finder.look()
    finder.type('grace')
    await looking
    expect(finder.state).toEqual({ kind: 'idle' })
  })

  it('keeps what is known about a person when asking again fails', async () => {
    const peer = new FakePeer()
    peer.people.refresh = async () => {
      throw new PeerError('offline', { origin: null })
    }
    const view = new PersonView(peer, fixtureId('Bob'), person('Bob'))
    await view.refresh()
    expect(view.person?.displayName).toBe('Bob')
    expect(view.refreshFailed).toBe(true)
  })
})

describe('a face', () => {
  it('has one of fifteen colours, the same for the same account', () => {
    const hues = Array.from({ length: 200 }, (_, index) => hueOf(fixtureId(`somebody ${index}`)))
    expect(new Set(hues).size).toBe(15)
    expect(hueOf(fixtureId('Bob'))).toBe(hueOf(fixtureId('Bob')))
    expect(hueOf('')).toBe(0)
  })

  it('has the first letters of the first and the last word', () => {
    expect(initialsOf('Augusta Ada King')).toBe('AK')
    expect(initialsOf('  zoë ')).toBe('Z')
    expect(initialsOf('(Bob) ✨')).toBe('B')
    expect(initialsOf('田中 太郎')).toBe('田太')
    expect(initialsOf('✨ \u200b')).toBe('')
  })
})

describe('a seal', () => {
  it('has twelve petals inside its circle, from the first 48 bits alone', () => {
    const petals = sealPetals('0f'.repeat(32))
    expect(petals).toHaveLength(12)
    expect(petals.every(({ length, width }) => length > 0 && length <= 1 && width > 0)).toBe(true)
    expect(sealPath('0123456789ab' + '0'.repeat(52), 10)).toBe(sealPath('0123456789ab' + 'f'.repeat(52), 10))
  })

  it('differs for each of the sixteen values of a petal', () => {
    const shapes = Array.from('0123456789abcdef', digit => JSON.stringify(sealPetals(digit.repeat(12))[0]))
    expect(new Set(shapes).size).toBe(16)
  })

  it('of nobody is drawn all the same', () => {
    expect(sealPath('', 10)).not.toContain('NaN')
  })
})

describe('keys', () => {
  const press = (key: string, change = {}) =>
    shortcutOf({ key, ctrlKey: false, metaKey: false, altKey: false, inField: false, ...change })

  it('have their meaning', () => {
    expect(press('k', { ctrlKey: true })).toBe('switch-chat')
    expect(press('K', { metaKey: true, inField: true })).toBe('switch-chat')
    expect(press('ArrowUp', { altKey: true, inField: true })).toBe('previous-chat')
    expect(press('ArrowDown', { altKey: true })).toBe('next-chat')
    expect(press('Escape', { inField: true })).toBe('close')
    expect(press('?')).toBe('help')
  })

  it('belong to the text while one types', () => {
    expect(press('?', { inField: true })).toBeNull()
    expect(press('k')).toBeNull()
    expect(press('ArrowUp')).toBeNull()
  })
})

describe('what this device remembers about looks', () => {
  const storage = () => {
    const kept = new Map<string, string>()
    return {
      kept,
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key)
    }
  }

  it('is the appearance, until the system decides again', () => {
    const [root, place] = [{ dataset: {} as DOMStringMap }, storage()]
    new Appearance(root, place).choose('dark')
    expect(root.dataset['theme']).toBe('dark')
    const later = new Appearance({ dataset: {} }, place)
    expect(later.choice).toBe('dark')
    later.choose('system')
    expect(place.kept.size).toBe(0)
  })

  it('is kept for good only if the browser says so, and is asked for once', async () => {
    const keeper = { persist: vi.fn(async () => true), persisted: async () => keeper.persist.mock.calls.length > 0 }
    const kept = new KeptStorage(keeper)
    await kept.look()
    expect(kept.isSafe).toBe(false)
    await Promise.all([kept.ask(), kept.ask()])
    expect(kept.isSafe).toBe(true)
    expect(keeper.persist).toHaveBeenCalledTimes(1)
    const unknown = new KeptStorage(undefined)
    await unknown.ask()
    expect(unknown.isSafe).toBeNull()
  })

  it('is the width of the list, within bounds', () => {
    const place = storage()
    const pane = new PaneWidth(place)
    pane.resize(1_000)
    expect(new PaneWidth(place).width).toBe(MAX_LIST_WIDTH)
    expect(pane.press('Home', false)).toBe(true)
    expect(pane.width).toBe(MIN_LIST_WIDTH)
    pane.press('ArrowLeft', true)
    expect(pane.width).toBeGreaterThan(MIN_LIST_WIDTH)
    expect(pane.press('x', false)).toBe(false)
  })
})

describe('dates', () => {
  const dates = new Dates('en-GB', 'UTC')
  const now = Date.UTC(2027, 4, 12, 12)
  const HOUR_MS = 3_600_000

  it('are brief in a list', () => {
    expect(dates.brief(now - HOUR_MS, now)).toBe('11:00')
    expect(dates.brief(now - 24 * HOUR_MS, now)).toBe('Yesterday')
    expect(dates.brief(now - 3 * 24 * HOUR_MS, now)).toBe('Sunday')
    expect(dates.brief(now - 30 * 24 * HOUR_MS, now)).toBe('12 Apr')
    expect(dates.brief(now - 800 * 24 * HOUR_MS, now)).toContain('2025')
  })

  it('name days in a thread', () => {
    expect(dates.day(now, now)).toBe('Today')
    expect(dates.day(now - 10 * 24 * HOUR_MS, now)).toMatch(/^Sunday,? 2 May$/)
    expect(dates.day(Date.UTC(2026, 11, 30), now)).toBe('30 December 2026')
    expect(dates.day(Date.UTC(2033, 0, 1), now)).toBe('1 January 2033')
    expect(dates.brief(Date.UTC(2026, 11, 30), now)).toBe('30 December 2026')
    expect(dates.day(now + HOUR_MS * 48, now)).toMatch(/14 May/)
  })

  it('say how long ago something was', () => {
    expect(dates.ago(now - 4 * 60_000, now)).toBe('4 minutes ago')
    expect(dates.ago(now - 5_000, now)).toBe('now')
    expect(dates.ago(now + 5_000, now)).toBe('now')
  })
})
