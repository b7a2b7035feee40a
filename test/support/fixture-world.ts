import { NO_MARKS } from '../../peer/people/person-marks.ts'
import type {
  ChatMessage,
  ConversationSummary,
  DeviceRecord,
  FileView,
  GroupMemberView,
  GroupRequestView,
  HistoryStatus,
  LinkingState,
  Me,
  PeerSnapshot,
  PersonLink,
  PeerStatus,
  Person,
  PromiseView,
  PublicRecord,
  RecordDetails,
  RecordPlace,
  RecoveryState,
  SignInProvider
} from '../../peer/peer-api.ts'
import { FIXTURE_PICTURE } from './fixture-picture.ts'

/** Everything that a scripted peer knows. Plain data, so that it passes through a channel. */
export interface World {
  snapshot: PeerSnapshot
  messages: Record<string, ChatMessage[]>
  providers: SignInProvider[]
  /** People who can be found, besides those one writes to. */
  people: Person[]
  /** Chats that arrive from another device; none by default. */
  history?: HistoryStatus
  /** Who is in the groups, by conversation. */
  members?: Record<string, GroupMemberView[]>
  /** Who asks to be added to the groups. */
  asked?: Record<string, GroupRequestView[]>
  /** What nodes say about messages that they signed for, by message; nothing by default. */
  promises?: Record<string, PromiseView[]>
  /** Whether there is a recovery code; by default there is none. */
  links?: PersonLink[]
  recovery?: RecoveryState
}

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const NETWORK_LABEL = 'local devnet (emulated ledger rules)'

/** 64 hex characters that look random and are the same every time. */
export function fixtureId(name: string): string {
  let state = 2_166_136_261
  for (const letter of name) state = Math.imul(state ^ letter.charCodeAt(0), 16_777_619) >>> 0
  let id = ''
  while (id.length < 64) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const mixed = Math.imul(state ^ (state >>> 15), 2_246_822_519)
    id += ((mixed ^ (mixed >>> 13)) >>> 0).toString(16).padStart(8, '0')
  }
  return id.slice(0, 64)
}

export function recordDetails(change: Partial<RecordDetails> = {}): RecordDetails {
  return {
    state: 'settled',
    confirmations: 41,
    transactionId: fixtureId('transaction'),
    blockHeight: 1_204,
    recordedAt: Date.now() - 40 * MINUTE_MS,
    network: NETWORK_LABEL,
    trust: 'L2',
    checkedAt: Date.now() - 4 * MINUTE_MS,
    agreement:
      (change.trust ?? 'L2') === 'L2'
        ? { state: 'agreed', at: Date.now() - 4 * MINUTE_MS }
        : { state: 'single', at: null },
    undoneAt: null,
    ...change
  }
}

export const PENDING = recordDetails({
  state: 'pending',
  confirmations: 0,
  transactionId: null,
  blockHeight: null,
  recordedAt: null,
  trust: 'L0'
})

export function person(displayName: string, change: Partial<Person> = {}): Person {
  const username = displayName.toLowerCase().replace(/[^a-z0-9]+/g, '_')
  return {
    accountId: fixtureId(displayName),
    username,
    displayName,
    about: '',
    picture: null,
    record: recordDetails(),
    nameConfirmed: true,
    isMe: false,
    verifiedAt: null,
    alert: null,
    // Whom one talks to is accepted.
    marks: { ...NO_MARKS, answer: 'accepted' },
    ...change
  }
}

export function me(change: Partial<Me> = {}): Me {
  return {
    ...person('Ada Lovelace', { username: 'ada', isMe: true }),
    deviceId: fixtureId('device').slice(0, 32),
    deviceName: 'Chrome on Linux',
    deviceState: 'live',
    nameState: 'recorded',
    privacy: { tellsRead: true, tellsTyping: true, tellsPresence: true },
    firstWord: null,
    visibility: { seenBy: 'contacts', isFoundByHandle: false },
    ...change
  }
}

export function status(change: Partial<PeerStatus> = {}): PeerStatus {
  return {
    connection: 'online',
    node: 'http://127.0.0.1:8801',
    listedNodes: 3,
    operators: 3,
    epoch: 0,
    waiting: 0,
    caughtUp: true,
    network: { id: fixtureId('network'), label: NETWORK_LABEL, emulated: true },
    problem: null,
    ...change
  }
}

/** How far an entry has come. @param confirmations - 0 while it is pending. */
export function recordPlace(confirmations = 41): RecordPlace {
  const isPending = confirmations === 0
  return {
    state: isPending ? 'pending' : confirmations < 15 ? 'recorded' : 'settled',
    confirmations,
    at: isPending ? null : Date.now() - confirmations * MINUTE_MS,
    transactionId: isPending ? null : fixtureId('transaction'),
    blockHeight: isPending ? null : 1_245 - confirmations
  }
}

export function deviceRecord(name: string, change: Partial<DeviceRecord> = {}): DeviceRecord {
  return {
    deviceId: fixtureId(name).slice(0, 32),
    name: null,
    isThis: false,
    signingKey: fixtureId(`${name} key`),
    messagingKeyHash: fixtureId(`${name} hash`),
    addedBy: null,
    lastSeen: null,
    added: recordPlace(),
    removed: null,
    ...change
  }
}

/** What the public record holds of a person; for the own account, three devices in all states. */
export function publicRecord(somebody: Person): PublicRecord {
  const confirmations = somebody.record.confirmations
  const devices = somebody.isMe
    ? [
        deviceRecord('device', { isThis: true, name: 'Chrome on Linux' }),
        deviceRecord('phone', {
          added: recordPlace(4),
          lastSeen: Date.now() - 3 * 60 * MINUTE_MS,
          addedBy: fixtureId('device').slice(0, 32)
        }),
        deviceRecord('old phone', { removed: recordPlace(20), addedBy: fixtureId('device').slice(0, 32) })
      ]
    : [deviceRecord(somebody.accountId, { added: recordPlace(confirmations) })]
  const entry = (kind: string, place = recordPlace(confirmations)) => ({ kind, recordId: fixtureId(kind), ...place })
  return {
    person: somebody,
    devices,
    entries: [entry('create'), entry('nameCommit'), entry('nameReveal'), ...(somebody.isMe ? [entry('add')] : [])],
    operators: somebody.record.trust === 'L2' ? 2 : 1,
    tipHeight: 1_244,
    sources: ['http://127.0.0.1:8801', 'http://127.0.0.1:8802']
  }
}

/** The code of a linking, as the old device shows it. */
export const LINK_CODE: NonNullable<LinkingState['code']> = {
  words: 'legal winner thank year wave sausage worth useful legal winner thank yellow',
  address: 'http://127.0.0.1:8787/#/link/AAAA',
  expiresAt: 4_000_000_000_000
}

/** A linking that is under way. */
export function linkingState(change: Partial<LinkingState>): LinkingState {
  const nothing = { code: null, deviceName: null, checkWords: null, failure: null }
  return { side: 'old', step: 'waiting', ...nothing, ...change }
}

/** A world in which a linking is under way. */
export function linkingWorld(world: World, change: Partial<LinkingState>): World {
  return { ...world, snapshot: { ...world.snapshot, linking: linkingState(change) } }
}

/** A conversation with a person; its last message is the last of the list. */
export function summary(
  somebody: Person,
  messages: readonly ChatMessage[],
  change: Partial<ConversationSummary> = {}
): ConversationSummary {
  const lastMessage = messages.at(-1) ?? null
  return {
    id: conversationId(somebody),
    kind: somebody.isMe ? 'notes-to-self' : 'direct',
    person: somebody,
    group: null,
    title: somebody.displayName ?? '',
    lastMessage,
    unread: 0,
    unreadMentions: 0,
    draft: '',
    timer: null,
    updatedAt: lastMessage?.sentAt ?? Date.now(),
    held: null,
    heldBy: null,
    lacksWord: false,
    ...change
  }
}

export function conversationId(somebody: Person): string {
  return fixtureId(`conversation with ${somebody.accountId}`)
}

/** Of a message about which nobody said anything. */
export const NOTHING_SAID = {
  replyTo: null,
  editedAt: null,
  isForwarded: false,
  reactions: [],
  poll: null,
  isPinned: false,
  isStarred: false,
  expiresAfter: null,
  expiresAt: null
} satisfies Partial<ChatMessage>

/** One message. @param minutesAgo - when it was sent. @param words - of the sender; a state makes it an own message. */
export function message(
  somebody: Person,
  minutesAgo: number,
  text: string,
  change: Partial<ChatMessage> = {}
): ChatMessage {
  const mine = change.state != null
  const sentAt = Date.now() - minutesAgo * MINUTE_MS
  return {
    id: fixtureId(`${somebody.accountId} ${minutesAgo} ${text}`),
    conversationId: conversationId(somebody),
    from: mine ? me().accountId : somebody.accountId,
    fromName: (mine ? me().displayName : somebody.displayName) ?? '',
    mine,
    kind: 'text',
    line: null,
    file: null,
    text,
    sentAt,
    receivedAt: sentAt + 400,
    state: null,
    problem: null,
    ...NOTHING_SAID,
    ...change
  }
}

const DEMO: SignInProvider = { id: 'demo', name: 'Demo sign-in', demo: true, kind: 'page' }

/** Before the first sign-in. */
export function emptyWorld(): World {
  return {
    snapshot: { stage: 'welcome', suggestedName: null, me: null, status: status(), linking: null, conversations: [] },
    messages: {},
    providers: [DEMO],
    people: [person('Grace Hopper'), person('Zoë', { username: 'zoe', nameConfirmed: false, record: PENDING })]
  }
}

/** Just registered: no conversation yet, the public record still to come. */
export function newcomerWorld(): World {
  const world = emptyWorld()
  const newcomer = me({ record: PENDING, nameState: 'reserving' })
  return { ...world, snapshot: { ...world.snapshot, stage: 'ready', me: newcomer } }
}

/** A few conversations in all their states. */
export function busyWorld(): World {
  const world = emptyWorld()
  const self = me()
  const bob = person('Bob')
  const charles = person('Charles Babbage', { username: 'babbage', record: PENDING })
  const mary = person('Mary Somerville', {
    username: 'mary',
    record: recordDetails({ state: 'mismatch', trust: 'L2' })
  })
  const long = person('Augusta Ada King-Noel, Countess of Lovelace', {
    username: 'countess_of_lovelace_1815',
    record: recordDetails({
      state: 'not-found',
      transactionId: null,
      blockHeight: null,
      recordedAt: null,
      trust: 'L1'
    }),
    nameConfirmed: false
  })
  const messages = {
    [conversationId(bob)]: bobMessages(bob),
    [conversationId(charles)]: [
      message(charles, DAY_MS / MINUTE_MS + 30, 'The plans for the engine are on the table.'),
      message(charles, DAY_MS / MINUTE_MS, 'I will be there at nine.', { state: 'sent' })
    ],
    [conversationId(mary)]: [message(mary, (3 * DAY_MS) / MINUTE_MS, 'On the connexion of the physical sciences')],
    [conversationId(long)]: [
      message(long, (20 * DAY_MS) / MINUTE_MS, 'A rather long preview that has to end somewhere.')
    ],
    [conversationId(self)]: [
      message(self, 300, 'Bernoulli numbers: check the eighth', { state: 'sent' }),
      message(self, 299, 'https://example.org/notes/on-the-analytical-engine?page=8.', { state: 'sent' })
    ]
  }
  const conversations = [
    summary(bob, messages[conversationId(bob)]!, { unread: 2 }),
    summary(self, messages[conversationId(self)]!),
    summary(charles, messages[conversationId(charles)]!, { draft: 'About tomorrow' }),
    summary(mary, messages[conversationId(mary)]!, {
      held: 'contradicted'
    }),
    summary(long, messages[conversationId(long)]!)
  ]
  return {
    ...world,
    messages,
    snapshot: { stage: 'ready', suggestedName: null, me: self, status: status(), linking: null, conversations }
  }
}

function bobMessages(bob: Person): ChatMessage[] {
  const history = Array.from({ length: 120 }, (_, index) =>
    message(
      bob,
      3 * 24 * 60 - index * 7,
      `Line ${index + 1} of our long letter.`,
      index % 3 === 0 ? { state: 'read' } : {}
    )
  )
  return [
    ...history,
    message(bob, 190, '', { kind: 'system', line: { kind: 'removed-device', mine: false } }),
    message(bob, 95, 'Good morning! Did you see the note about the punched cards?', { state: 'read' }),
    message(bob, 92, 'Yes. It “weaves algebraical patterns just as the Jacquard loom weaves flowers and leaves”.'),
    message(bob, 92, 'I like that sentence.'),
    message(bob, 60, 'Me too. There is more at https://example.org/engine (the second page).', { state: 'delivered' }),
    message(bob, 45, '', { kind: 'gap', line: { kind: 'missing', missing: 1, gone: 0 } }),
    message(bob, 44, '', { kind: 'unsupported' }),
    message(bob, 30, 'Sent', { state: 'sent' }),
    message(bob, 20, 'Waiting for a connection', { state: 'waiting' }),
    message(bob, 18, 'This one could not go.', {
      state: 'failed',
      problem: 'expired'
    }),
    message(bob, 6, 'Are you there?'),
    message(bob, 5, 'Nine o’clock would suit me.\nShall I bring the drawings?')
  ]
}

/** A chat with a picture, a document, a voice note, three pictures at once, and a file on its way. */
export function filesWorld(): World {
  const world = busyWorld()
  const bob = person('Bob')
  const none = { width: null, height: null, thumbnail: null, voice: null }
  const picture = { width: 960, height: 720, thumbnail: FIXTURE_PICTURE, voice: null }
  const waveform = Uint8Array.from({ length: 64 }, (_, i) => Math.round(120 + 110 * Math.sin(i / 3) * Math.cos(i / 11)))
  const file = (minutes: number, text: string, view: FileView, change: Partial<ChatMessage> = {}): ChatMessage =>
    message(bob, minutes, text, { kind: 'file', file: view, ...change })
  world.messages[conversationId(bob)] = [
    file(9, 'The view from here', { ...picture, name: 'hills.png', bytes: FIXTURE_PICTURE.length, type: 'image/png' }),
    file(7, '', { ...none, name: 'Notes on the Analytical Engine.pdf', bytes: 2_345_678, type: 'application/pdf' }),
    file(6, '', {
      ...none,
      name: 'voice-note.webm',
      bytes: 40_000,
      type: 'audio/webm',
      voice: { durationMs: 14_000, waveform }
    }),
    ...['rose.png', 'tower.png', 'river.png'].map((name, index) =>
      file(
        5.4 - index / 10,
        index === 2 ? 'From yesterday' : '',
        { ...picture, name, bytes: FIXTURE_PICTURE.length, type: 'image/png' },
        { state: 'read' }
      )
    ),
    file(5, '', { ...none, name: 'page.html', bytes: 900, type: 'text/html' }, { state: 'read' }),
    file(2, '', { ...none, name: 'drawings.zip', bytes: 48_000_000, type: 'application/zip' }, { state: 'waiting' })
  ]
  return world
}
