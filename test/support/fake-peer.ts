import { FIXTURE_PICTURE } from './fixture-picture.ts'
import { PeerError } from '../../peer/errors.ts'
import type {
  BackupStatus,
  ChatMessage,
  DeviceRecord,
  FileUsage,
  HistoryStatus,
  LinkingState,
  OwnInvite,
  PeerApi,
  PeerEvents,
  Person,
  RecoveryState
} from '../../peer/peer-api.ts'
import { FakeGroups } from './fake-groups.ts'
import {
  emptyWorld,
  fixtureId,
  LINK_CODE,
  linkingState,
  me as newMe,
  NOTHING_SAID,
  publicRecord,
  recordPlace,
  summary,
  type World
} from './fixture-world.ts'

const NO_HISTORY: HistoryStatus = { state: 'none', from: null, chats: 0, chatsTotal: 0, messages: 0, shipping: [] }
const NO_CODE: RecoveryState = { isSet: false, waiting: null }
const FAKE_ORIGIN = 'http://127.0.0.1:8787'
const FAKE_CODE = '0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV-WXYZ'

/** Channel on which a page sends its scripted peer the world to show. */
export const WORLD_CHANNEL = 'volo-fixture-world'

/**
 * A peer without a network, for pictures of every screen: it shows the {@link World} that it is told, and plays along with
 * what a person does. Built only by `vite build web --mode fixture`; nothing that a node serves contains it.
 */
/** Names the picture of everybody who has one. */
export const FAKE_PICTURE_NAME = 'fa'.repeat(32)

export class FakePeer implements PeerApi {
  #picture: Uint8Array | null = FIXTURE_PICTURE
  #world: World
  readonly #removed = new Map<string, DeviceRecord>()
  readonly #listeners: { [K in keyof PeerEvents]: Set<(value: PeerEvents[K]) => void> } = {
    snapshot: new Set(),
    message: new Set(),
    transfer: new Set(),
    backup: new Set(),
    typing: new Set(),
    presence: new Set(),
    event: new Set(),
    resumed: new Set()
  }

  constructor(world = emptyWorld()) {
    this.#world = world
  }

  /** Listens for the world that a page sends. */
  start = async () => {
    new BroadcastChannel(WORLD_CHANNEL).onmessage = event => this.show(event.data as World)
  }

  /** Shows another world; messages that are new in it are events. */
  show(world: World): void {
    const previous = this.#world
    this.#world = world
    this.#changed()
    for (const [id, messages] of Object.entries(world.messages)) {
      const known = new Set(previous.messages[id]?.map(message => message.id))
      for (const message of messages) if (!known.has(message.id)) this.#tell('message', message)
    }
  }

  stop = async () => {}

  snapshot: PeerApi['snapshot'] = async () => this.#world.snapshot

  on = <K extends keyof PeerEvents>(event: K, listener: (value: PeerEvents[K]) => void) => {
    this.#listeners[event].add(listener)
    return () => void this.#listeners[event].delete(listener)
  }

  readonly account: PeerApi['account'] = {
    providers: async () => this.#world.providers,

    startSignIn: async (_provider, returnTo) => `${location.origin}${returnTo}#/signed-in?code=0123`,

    finishSignIn: async code => {
      if (code === 'junk') throw new PeerError('sign-in-failed')
      this.#world.snapshot = { ...this.#world.snapshot, stage: 'choose-name' }
      this.#changed()
    },

    startWalletSignIn: async () => ({ nonce: '00'.repeat(32), payload: 'Sign in to Volo.' }),

    finishWalletSignIn: async ({ signature }) => this.account.finishSignIn(signature),

    forgetSignIn: async () => {
      this.#world.snapshot = { ...this.#world.snapshot, stage: 'welcome' }
      this.#changed()
    },

    checkName: async username => (username === 'taken' ? 'taken' : 'available'),

    register: async ({ username, displayName, deviceName }) => {
      const me = newMe({ username, displayName, deviceName })
      this.#world.snapshot = { ...this.#world.snapshot, stage: 'ready', me }
      this.#changed()
      return me
    },

    claimName: async username => {
      const me = newMe({ username, displayName: username, deviceName: 'Device' })
      this.#world.snapshot = { ...this.#world.snapshot, me }
      this.#changed()
      return me
    },

    releaseName: async () => ({ ...this.#world.snapshot.me!, username: null, nameState: 'none' }),

    deleteAccount: async () => ({ objects: 0, silentNodes: 0, names: 1, devices: 1 }),

    changeProfile: async change => {
      if (change.displayName?.trim() === '') throw new PeerError('display-name', { fault: 'empty' })
      const { picture, ...said } = change
      const before = this.#world.snapshot.me!
      const me = { ...before, ...said, picture: picture === undefined ? before.picture : picture && FAKE_PICTURE_NAME }
      if (picture !== undefined) this.#picture = picture
      this.#world.snapshot = { ...this.#world.snapshot, me }
      this.#changed()
      return me
    },

    changePrivacy: async change => {
      const { snapshot } = this.#world
      const me = { ...snapshot.me!, privacy: { ...snapshot.me!.privacy, ...change } }
      this.#world.snapshot = { ...snapshot, me }
      this.#changed()
      return me
    },
    setFirstWord: async firstWord => {
      const { snapshot } = this.#world
      const me = { ...snapshot.me!, firstWord }
      this.#world.snapshot = { ...snapshot, me }
      this.#changed()
      return me
    },
    changeVisibility: async change => {
      const { snapshot } = this.#world
      const me = { ...snapshot.me!, visibility: { ...snapshot.me!.visibility, ...change } }
      this.#world.snapshot = { ...snapshot, me }
      this.#changed()
      return me
    }
  }

  readonly recovery: PeerApi['recovery'] = {
    state: async () => this.#world.recovery ?? NO_CODE,
    draft: async () => ({ code: FAKE_CODE, text: `${FAKE_CODE}\n` }),
    set: async () => (this.#world.recovery = { isSet: true, waiting: null }),
    refuse: async () => (this.#world.recovery = { ...(this.#world.recovery ?? NO_CODE), waiting: null }),

    use: async ({ username, code, deviceName }) => {
      if (code !== FAKE_CODE) throw new PeerError('recovery-code', { fault: 'mistyped' })
      return this.account.register({ username, displayName: username, deviceName })
    }
  }

  readonly history: PeerApi['history'] = {
    status: async () => this.#world.history ?? NO_HISTORY
  }

  readonly search: PeerApi['search'] = {
    find: async text => {
      const { conversations } = this.#world.snapshot
      const has = (words: string | null): boolean => words !== null && words.toLowerCase().includes(text.toLowerCase())
      const messages = conversations.flatMap(conversation =>
        (this.#world.messages[conversation.id] ?? [])
          .filter(message => message.kind === 'text' && has(message.text))
          .map(message => ({ message, conversation }))
      )
      const chats = conversations.filter(({ title }) => has(title))
      const people = chats.map(({ person }) => person).filter(({ isMe }) => !isMe)
      const dates = Object.values(this.#world.messages).flatMap(all => all.map(({ sentAt }) => sentAt))
      return { people, chats, messages, since: dates.length === 0 ? null : Math.min(...dates) }
    }
  }

  readonly invites: PeerApi['invites'] = {
    look: async () => ({
      accountId: '0a'.repeat(32),
      username: 'ada',
      displayName: 'Ada',
      state: 'open',
      expiresAt: LINK_CODE.expiresAt
    }),
    create: async () => this.#invite(),
    canMail: async () => false,
    mail: async () => this.#invite(),
    list: async () => [this.#invite()],
    revoke: async () => {},
    accept: async () => this.#world.snapshot.conversations[0]!
  }

  #invite(): OwnInvite {
    const { expiresAt } = LINK_CODE
    return { id: '0b'.repeat(32), url: `${FAKE_ORIGIN}/#/i/AAAA`, createdAt: 0, expiresAt, uses: 1, accepted: [] }
  }

  readonly groups: PeerApi['groups'] = new FakeGroups({
    world: () => this.#world,
    people: () => this.#everybody(),
    put: message => this.#put(message),
    show: conversation => {
      const { snapshot } = this.#world
      const others = snapshot.conversations.filter(({ id }) => id !== conversation.id)
      this.#world.snapshot = { ...snapshot, conversations: [...others, conversation] }
      this.#changed()
    }
  })

  readonly complaints: PeerApi['complaints'] = {
    check: async id => this.#world.promises?.[id] ?? [],
    list: async () => []
  }

  readonly social: PeerApi['social'] = {
    link: async () => [],
    unlink: async () => [],
    startAccount: async () => '/demo-sign-in/',
    finishAccount: async () => this.social.links(''),
    showAccount: async () => this.social.links(''),
    unlinkAccount: async () => this.social.links(''),
    links: async () => this.#world.links ?? []
  }

  readonly linking: PeerApi['linking'] = {
    show: async () => {
      const { linking } = this.#world.snapshot
      return linking?.code ? linking : this.#linking({ side: 'old', code: LINK_CODE })
    },
    answer: async isYes =>
      void this.#linking(
        isYes ? { step: 'done', code: null } : { step: 'failed', failure: { code: 'link-refused', facts: {} } }
      ),
    cancel: async () => void this.#linking(null),
    join: async (code, deviceName) => {
      if (code.trim().split(' ').length !== 12) throw new PeerError('link-code', { fault: 'form' })
      return this.account.register({ username: 'ada', displayName: 'Ada', deviceName })
    }
  }

  #linking(change: Partial<LinkingState> | null): LinkingState {
    const { snapshot } = this.#world
    const linking = change && linkingState({ ...snapshot.linking, ...change })
    this.#world.snapshot = { ...snapshot, linking }
    this.#changed()
    return linking ?? linkingState({})
  }

  readonly devices: PeerApi['devices'] = {
    list: async () => {
      const { me } = this.#world.snapshot
      if (!me) return []
      return publicRecord(me).devices.map(device => this.#removed.get(device.deviceId) ?? device)
    },

    rename: async (deviceId, name) => {
      const device = (await this.devices.list()).find(each => each.deviceId === deviceId)
      if (!device) throw new PeerError('no-device')
      const renamed = { ...device, name }
      this.#removed.set(deviceId, renamed)
      return renamed
    },

    signFile: async () => '-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n',
    revoke: async deviceId => {
      const device = (await this.devices.list()).find(each => each.deviceId === deviceId)
      if (!device) throw new Error(`there is no device ${deviceId}`)
      const removed = { ...device, removed: recordPlace(0) }
      this.#removed.set(deviceId, removed)
      const { snapshot } = this.#world
      const me = snapshot.me && { ...snapshot.me, deviceState: 'removing' as const }
      if (device.isThis) this.#world.snapshot = { ...snapshot, me }
      this.#changed()
      return removed
    }
  }

  readonly people: PeerApi['people'] = {
    picture: async () => this.#picture && { type: 'image/png', content: this.#picture },

    presence: async () => ({ state: 'unknown', seenAt: null, until: null, isAsked: false }),
    setHere: async () => {},

    report: async () => ({ origin: 'https://volo.example' }),

    find: async query => {
      const name = query.replace(/^@/, '')
      return this.#everybody().find(person => person.username === name || person.accountId === name) ?? null
    },

    refresh: async accountId => {
      const person = await this.people.find(accountId)
      if (!person) throw new Error(`nobody has the account ${accountId}`)
      return person
    },

    safetyNumber: async accountId => ({
      conversation: digitsOf(accountId, 60),
      theirs: digitsOf(accountId.slice(8), 30),
      mine: digitsOf(this.#world.snapshot.me?.accountId ?? '', 30)
    }),

    safety: async conversationId => {
      const { person, group } = this.#world.snapshot.conversations.find(({ id }) => id === conversationId)!
      const others = group ? this.#everybody().slice(0, group.members - 1) : [person]
      const people = [this.#world.snapshot.me!, ...others].map(each => ({
        person: each,
        number: digitsOf(each.accountId, 30),
        devices: [each.accountId.slice(0, 32)]
      }))
      return { number: digitsOf(conversationId, 60), people, code: `volo-verify:${conversationId}` }
    },

    checkCode: async (conversationId, code) => {
      const { person } = this.#world.snapshot.conversations.find(({ id }) => id === conversationId)!
      if (!code.startsWith('volo-verify:')) return { result: 'no-code', by: null, differences: [] }
      if (code.endsWith(conversationId)) {
        return {
          result: 'same',
          by: await this.#changePerson(person.accountId, { verifiedAt: Date.now(), alert: null }),
          differences: []
        }
      }
      return { result: 'differs', by: person, differences: [{ person, device: 'ab12cd34ef56', seenBy: 'there' }] }
    },

    verify: async accountId => this.#changePerson(accountId, { verifiedAt: Date.now(), alert: null }),

    unverify: async accountId => this.#changePerson(accountId, { verifiedAt: null }),

    acceptAlert: async accountId => this.#changePerson(accountId, { alert: null }),

    contacts: async () => this.#everybody().filter(({ marks }) => marks.contact),

    mark: async (accountId, marks) => {
      const { marks: before } = this.#everybody().find(person => person.accountId === accountId)!
      return this.#changePerson(accountId, { marks: { ...before, ...marks } })
    }
  }

  readonly conversations: PeerApi['conversations'] = {
    open: async accountId => {
      const { snapshot } = this.#world
      const existing = snapshot.conversations.find(each => !each.group && each.person.accountId === accountId)
      if (existing) return existing
      const person = this.#everybody().find(each => each.accountId === accountId)
      if (!person) throw new Error(`nobody has the account ${accountId}`)
      const conversation = summary(person, [])
      this.#world.snapshot = { ...snapshot, conversations: [...snapshot.conversations, conversation] }
      this.#changed()
      return conversation
    },

    markRead: async (conversationId, upTo) => {
      const messages = this.#world.messages[conversationId] ?? []
      const after = upTo === undefined ? [] : messages.slice(messages.findIndex(({ id }) => id === upTo) + 1)
      const left = after.filter(({ mine, kind }) => !mine && (kind === 'text' || kind === 'unsupported')).length
      const { unread } = this.#world.snapshot.conversations.find(({ id }) => id === conversationId)!
      if (left < unread) this.#change(conversationId, { unread: left })
    },

    look: async () => undefined,
    sayWord: async () => {},
    saveDraft: async (conversationId, draft) => this.#change(conversationId, { draft })
  }

  readonly messages: PeerApi['messages'] = {
    page: async (conversationId, { before, limit = 60 } = {}) => {
      const all = this.#world.messages[conversationId] ?? []
      const end = before === undefined ? all.length : all.findIndex(message => message.id === before)
      return all.slice(Math.max(0, end - limit), end)
    },

    sendText: async (conversationId, text) => this.#send(conversationId, { text }),
    reply: async (conversationId, replyTo, text) => this.#send(conversationId, { text, replyTo }),
    forward: async (id, to) => this.#send(to, { text: this.#message(id).text, isForwarded: true }),

    createPoll: async (conversationId, { question, options, isMultiple }) => {
      const poll = { options: options.map(text => ({ text, votes: [], isMine: false })), isMultiple, voters: 0 }
      return this.#send(conversationId, { kind: 'poll', text: question, poll })
    },

    unsent: async () => this.#all().filter(({ mine, state }) => mine && (state === 'waiting' || state === 'failed')),
    find: async id => this.#all().find(message => message.id === id) ?? null,
    pinned: async conversationId => (this.#world.messages[conversationId] ?? []).filter(({ isPinned }) => isPinned),
    versions: async () => [],
    heardBy: async () => [],
    tellTyping: async () => {},
    retry: async () => {},
    receipts: async () => []
  }

  readonly files: PeerApi['files'] = {
    send: async () => {
      throw new PeerError('file-unreadable')
    },
    stop: async () => {},
    fetch: async id => {
      const { file } = this.#message(id)
      if (file?.type !== 'image/png') throw new PeerError('file-gone', { reason: 'vanished' })
      return file
    },
    chunk: async (_id, index) => (index === 0 ? FIXTURE_PICTURE : new Uint8Array()),
    usage: async () => this.#usage(),
    free: async id => void this.#freed.add(id)
  }

  readonly amendments: PeerApi['amendments'] = {
    react: async (id, emoji) => {
      const { accountId } = this.#world.snapshot.me!
      const others = this.#message(id).reactions.filter(({ isMine }) => !isMine)
      const reactions = emoji === null ? others : [...others, { emoji, from: [accountId], isMine: true }]
      return this.#amend(id, { reactions })
    },
    edit: async (id, text) => this.#amend(id, { text, editedAt: Date.now() }),
    deleteForAll: async id => void this.#amend(id, { ...NOTHING_SAID, kind: 'deleted', text: '' }),
    deleteForMe: async ids => {
      for (const id of ids) {
        const { conversationId } = this.#amend(id, { kind: 'removed', text: '' })
        this.#world.messages[conversationId] = this.#world.messages[conversationId]!.filter(each => each.id !== id)
      }
    },
    pin: async (id, isPinned) => this.#amend(id, { isPinned }),
    star: async (id, isStarred) => this.#amend(id, { isStarred }),
    vote: async (id, choices) => {
      const { accountId } = this.#world.snapshot.me!
      const poll = this.#message(id).poll!
      const options = poll.options.map((option, i) => {
        const others = option.votes.filter(voter => voter !== accountId)
        const isMine = choices.includes(i)
        return { ...option, votes: isMine ? [...others, accountId] : others, isMine }
      })
      return this.#amend(id, {
        poll: { ...poll, options, voters: new Set(options.flatMap(({ votes }) => votes)).size }
      })
    },
    setTimer: async (conversationId, timer) => this.#change(conversationId, { timer })
  }

  #all(): ChatMessage[] {
    return Object.values(this.#world.messages).flat()
  }

  #message(id: string): ChatMessage {
    return this.#all().find(message => message.id === id)!
  }

  #amend(id: string, change: Partial<ChatMessage>): ChatMessage {
    const changed = { ...this.#message(id), ...change }
    this.#put(changed)
    return changed
  }

  #sent = 0

  #send(conversationId: string, change: Partial<ChatMessage>): ChatMessage {
    const now = Date.now()
    const message: ChatMessage = {
      ...NOTHING_SAID,
      id: fixtureId(`sent ${++this.#sent}`),
      conversationId,
      from: this.#world.snapshot.me?.accountId ?? '',
      fromName: this.#world.snapshot.me?.displayName ?? '',
      mine: true,
      kind: 'text',
      line: null,
      file: null,
      text: '',
      sentAt: now,
      receivedAt: now,
      state: 'waiting',
      problem: null,
      ...change
    }
    this.#put(message)
    setTimeout(() => this.#put({ ...message, state: 'sent' }), 300)
    setTimeout(() => this.#put({ ...message, state: 'delivered' }), 900)
    return message
  }

  readonly #freed = new Set<string>()

  /** Files in the first chats of the world, until they are freed. */
  #usage(): FileUsage[] {
    const chats = this.#world.snapshot.conversations.filter(({ id }) => !this.#freed.has(id)).slice(0, 3)
    return chats.map(({ id }, index) => ({ conversationId: id, files: 17 - 8 * index, bytes: 45_600_000 / 4 ** index }))
  }

  #backup: BackupStatus = {
    isSet: false,
    isOnOwnStorage: false,
    settings: { automatic: true, withFiles: true, leftOut: [] },
    nextAt: null,
    failed: null,
    work: null,
    last: null
  }

  readonly backup: PeerApi['backup'] = {
    now: async () => {
      const last = {
        at: Date.now(),
        counter: 1,
        chats: 5,
        messages: 1_234,
        files: 17,
        bytes: 45_600_000,
        uploadedBytes: 91_200_000,
        copies: 2
      }
      return (this.#backup = { ...this.#backup, isSet: true, last })
    },
    status: async () => this.#backup,
    choose: async choices => {
      return (this.#backup = { ...this.#backup, settings: { ...this.#backup.settings, ...choices } })
    },
    check: async () => ({ at: Date.now(), counter: 1, chats: 5, messages: 1_234, files: 17 }),
    restore: async () => {
      throw new PeerError('backup', { fault: 'passphrase' })
    }
  }

  readonly record: PeerApi['record'] = {
    of: async accountId => publicRecord(await this.people.refresh(accountId))
  }

  readonly network: PeerApi['network'] = {
    reconnect: async () => {}
  }

  async #changePerson(accountId: string, change: Partial<Person>): Promise<Person> {
    const person = { ...(await this.people.refresh(accountId)), ...change }
    const { snapshot } = this.#world
    const conversations = snapshot.conversations.map(each =>
      each.person.accountId === accountId ? { ...each, person, held: null } : each
    )
    this.#world.snapshot = { ...snapshot, conversations }
    this.#changed()
    return person
  }

  #everybody(): Person[] {
    const { snapshot, people } = this.#world
    return [...people, ...snapshot.conversations.map(each => each.person), ...(snapshot.me ? [snapshot.me] : [])]
  }

  #put(message: ChatMessage): void {
    const list = this.#world.messages[message.conversationId] ?? []
    const at = list.findIndex(each => each.id === message.id)
    this.#world.messages[message.conversationId] = at < 0 ? [...list, message] : list.with(at, message)
    this.#tell('message', message)
    this.#change(message.conversationId, { lastMessage: message, updatedAt: message.sentAt })
  }

  #change(conversationId: string, change: Partial<World['snapshot']['conversations'][number]>): void {
    const { snapshot } = this.#world
    this.#world.snapshot = {
      ...snapshot,
      conversations: snapshot.conversations.map(each => (each.id === conversationId ? { ...each, ...change } : each))
    }
    this.#changed()
  }

  #changed(): void {
    this.#tell('snapshot', this.#world.snapshot)
  }

  #tell<K extends keyof PeerEvents>(event: K, value: PeerEvents[K]): void {
    for (const listener of this.#listeners[event]) listener(value)
  }
}

/** Digits that look random and are the same every time. */
function digitsOf(hex: string, length: number): string {
  return Array.from({ length }, (_, index) => Number.parseInt(hex.charAt(index % hex.length), 16) % 10).join('')
}
