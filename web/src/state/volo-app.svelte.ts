import type { ChatMessage, ConversationSummary, Me, PeerApi, PeerSnapshot, Person } from '../../../peer/peer-api.ts'
import { BackupWatch } from '../backup/backup-watch.svelte.ts'
import type { Language } from '../i18n/language.ts'
import type { AccountLinks } from './account-links.svelte.ts'
import type { AppLock } from '../lock/app-lock.svelte.ts'
import type { Announcer } from './announcer.svelte.ts'
import { ArrivingHistory } from './arriving-history.svelte.ts'
import { isLoud } from './chat-list.svelte.ts'
import { ChatSwitcher } from './chat-switcher.svelte.ts'
import { Faces } from './faces.svelte.ts'
import { failureWords, isBeyondRepair } from './failure-words.ts'
import { namesakesOf, personName } from './person-name.ts'
import { recordWords, type RecordWords } from './record-words.ts'
import { RecoveryStatus } from './recovery-status.svelte.ts'
import { links, type PersonPageName } from './routes.ts'
import type { Router } from './router.svelte.ts'
import type { GroupInvitation } from '../groups/group-invitation.svelte.ts'
import type { Invitation } from '../invites/invitation.svelte.ts'
import type { SignIn } from './sign-in.svelte.ts'
import { StatusNotice } from './status-notice.svelte.ts'

/** Entry of this origin's own storage while there is an account in the peer's. */
const HAD_ACCOUNT = 'volo-had-account'
/** Relative times on the screen are renewed this often. */
const CLOCK_STEP_MS = 30_000

/** What the app is made of. */
export interface VoloAppParts {
  api: PeerApi
  router: Router
  /** The language that is spoken now; it may change while the app is open. */
  languages: { readonly current: Language }
  announcer: Announcer
  signIn: SignIn
  accountLinks: AccountLinks
  lock: AppLock
  invitation: Invitation
  groupInvitation: GroupInvitation
  /** Of this origin, null where the browser keeps nothing. The peer's storage is another one, and each may be cleared alone. */
  storage: Storage | null
}

/** State that every screen shares: the peer's snapshot, and the place in the app. */
export class VoloApp {
  /** Null until the peer's own store has been opened. */
  snapshot = $state.raw<PeerSnapshot | null>(null)
  /** Why the peer could not start, in plain words. */
  startFailure = $state<string | null>(null)
  /** Whether what this browser keeps can never be opened again. */
  isBeyondRepair = $state(false)
  /** Milliseconds since 1970, renewed from time to time. */
  now = $state(Date.now())
  /** Whether this browser's storage of an account went, while the app was open or before, as when site data is deleted. */
  wasCleared = $state(false)
  /** Text of the QR code that opened the app, until the page that uses it has taken it. */
  linkCode = $state('')
  keysShown = $state(false)
  /** Text of the search box above the chats. It stays while another screen is open. */
  chatSearch = $state('')

  /** Called with each message of another person that has just come. */
  onHeard: (message: ChatMessage) => void = () => undefined

  readonly api: PeerApi
  readonly router: Router
  readonly #languages: VoloAppParts['languages']
  readonly announcer: Announcer
  readonly signIn: SignIn
  readonly accountLinks: AccountLinks
  readonly lock: AppLock
  readonly invitation: Invitation
  readonly groupInvitation: GroupInvitation
  readonly #storage: Storage | null
  readonly notice = new StatusNotice()
  readonly history: ArrivingHistory
  readonly backups: BackupWatch
  readonly recovery: RecoveryStatus
  readonly faces: Faces
  readonly switcher = new ChatSwitcher(() => this.conversations)

  constructor({
    api,
    router,
    languages,
    announcer,
    signIn,
    accountLinks,
    lock,
    invitation,
    groupInvitation,
    storage
  }: VoloAppParts) {
    this.api = api
    this.router = router
    this.#languages = languages
    this.announcer = announcer
    this.signIn = signIn
    this.accountLinks = accountLinks
    this.lock = lock
    this.invitation = invitation
    this.groupInvitation = groupInvitation
    this.#storage = storage
    this.history = new ArrivingHistory(api)
    this.backups = new BackupWatch(api)
    this.recovery = new RecoveryStatus(api)
    this.faces = new Faces(api)
  }

  get language(): Language {
    return this.#languages.current
  }

  get words(): Language['words'] {
    return this.language.words
  }

  get me(): Me | null {
    return this.snapshot?.me ?? null
  }

  /** Newest first. */
  get conversations(): ConversationSummary[] {
    return (this.snapshot?.conversations ?? []).toSorted((a, b) => b.updatedAt - a.updatedAt)
  }

  /** Accounts that are told apart by their usernames, ours among them; see {@link namesakesOf}. */
  readonly namesakes = $derived(
    namesakesOf([...(this.me ? [this.me] : []), ...this.conversations.map(({ person }) => person)])
  )

  /** Unread messages that are told outside of the list, see {@link isLoud}. */
  get unread(): number {
    return this.conversations.filter(isLoud).reduce((sum, { unread }) => sum + unread, 0)
  }

  /** Id of the conversation on the screen, null if there is none. */
  get openConversationId(): string | null {
    const { route } = this.router
    return 'conversationId' in route ? route.conversationId : null
  }

  /** The pages about a person: beside the chat where it is open with them or in their group, else by themselves. */
  linksOf(accountId: string): Record<PersonPageName, string> {
    const open = this.openConversationId
    const chat = open === null ? undefined : this.conversation(open)
    const isGroup = chat?.kind === 'group'
    if (!chat || (!isGroup && chat.person.accountId !== accountId))
      return { person: links.person(accountId), record: links.record(accountId), check: links.safetyCheck(accountId) }
    const beside = (page: PersonPageName) => links.threadPerson(chat.id, page, isGroup ? accountId : undefined)
    return { person: beside('person'), record: beside('record'), check: beside('check') }
  }

  /** What to call who wrote a message; the peer's own word for them where nothing else is known. */
  authorName(message: ChatMessage): string {
    if (message.mine) return this.words.common.you
    const person = this.conversation(message.conversationId)?.person
    return person?.accountId === message.from ? personName(person, this.words) : message.fromName
  }

  /** What to say about a person's entry in the public record. */
  recordWords(person: Person): RecordWords {
    return recordWords(person.record, this.language, {
      name: personName(person, this.words),
      isMe: person.isMe,
      alert: person.alert,
      emulated: this.snapshot?.status.network?.emulated ?? false,
      now: this.now
    })
  }

  conversation(id: string): ConversationSummary | undefined {
    return this.snapshot?.conversations.find(each => each.id === id)
  }

  /** Follows the peer and shows what it has. */
  async start(): Promise<void> {
    this.router.start()
    setInterval(() => this.#tick(), CLOCK_STEP_MS)
    this.lock.api.onLocked(() => this.#shut())
    this.api.on('snapshot', snapshot => this.#take(snapshot))
    this.api.on('message', message => this.#heard(message))
    this.takeLinkCode()
    const signedIn = this.#takeSignInCode()
    await this.load()
    await signedIn
  }

  /** Fetches the snapshot. Call it again after a failed start. */
  async load(): Promise<void> {
    this.startFailure = null
    try {
      this.#take(await this.api.snapshot())
    } catch (error) {
      if (this.lock.noteFailure(error)) return
      this.startFailure = failureWords(error, this.words)
      this.isBeyondRepair = isBeyondRepair(error)
    }
  }

  /** Opens the conversation with a person, made if needed. @returns its id. */
  async openChatWith(accountId: string): Promise<string> {
    const conversation = await this.api.conversations.open(accountId)
    await this.load()
    this.router.go(links.thread(conversation.id))
    return conversation.id
  }

  /** Goes to the chat above (-1) or below (1) the open one. */
  stepChat(step: 1 | -1): void {
    const chats = this.conversations
    const at = chats.findIndex(each => each.id === this.openConversationId)
    const next = chats[at < 0 ? (step === 1 ? 0 : chats.length - 1) : at + step]
    if (next) this.router.go(links.thread(next.id))
  }

  /**
   * Takes the code of a QR code that a phone's camera opened. As for a sign-in, it leaves the address bar and the history.
   * It is only kept: a person must say to use it, because anybody can make such a link.
   */
  takeLinkCode(): void {
    const { route } = this.router
    if (route.screen !== 'link' || route.code === null) return
    this.linkCode = `#/link/${route.code}`
    this.router.replace(links.link)
  }

  /** The code of a sign-in is good for one use: it leaves the address bar and the history before anything else happens. */
  async #takeSignInCode(): Promise<void> {
    const { route } = this.router
    if (route.screen !== 'signed-in') return
    this.router.replace(links.chats)
    // Who has an account already signed in somewhere to link that.
    const me = (await this.api.snapshot().catch(() => null))?.me
    if (!me) return this.signIn.finish(route.code, route.error)
    this.router.replace(links.you)
    await this.accountLinks.finish(route.code, route.error)
  }

  /** Accepts the link that was opened, and goes to the conversation. Why it failed is the invitation's to say. */
  async acceptInvitation(): Promise<void> {
    const conversation = await this.invitation.accept()
    if (!conversation) return
    await this.load()
    this.router.go(links.thread(conversation.id))
  }

  /** Takes a link to a group from the address bar, as {@link takeInvitation}. */
  takeGroupLink(): void {
    const { route } = this.router
    if (route.screen !== 'join-group') return
    this.groupInvitation.take(route.code)
    this.router.replace(links.chats)
  }

  /** Asks to be added to the group of the link that was opened, and goes to the chat with its maker. */
  async joinGroup(): Promise<void> {
    const conversationId = await this.groupInvitation.ask()
    if (conversationId === null) return
    await this.load()
    this.router.go(links.thread(conversationId))
  }

  /** Takes a link from the address bar. It leaves the bar and the history: who sees the screen must not use it. */
  takeInvitation(): void {
    const { route } = this.router
    if (route.screen !== 'invite') return
    this.invitation.take(route.code)
    this.router.replace(links.chats)
  }

  /** Another tab, or this one, locked the browser: nothing private stays in this page. */
  #shut(): void {
    this.lock.isShut = true
    this.snapshot = null
    this.recovery.state = null
  }

  #tick(): void {
    this.now = Date.now()
    if (this.snapshot) this.recovery.take(this.snapshot)
  }

  /** A device that has just got an account leaves the page on which it asked for it. */
  #leaveFirstPages(): void {
    const { screen } = this.router.route
    if (screen === 'link' || screen === 'regain' || screen === 'restore') this.router.replace(links.chats)
  }

  #take(snapshot: PeerSnapshot): void {
    if (this.snapshot?.stage === 'welcome' && snapshot.stage === 'ready') this.#leaveFirstPages()
    this.lock.isShut = false
    this.#noteAccount(snapshot)
    const isNew = this.snapshot !== null && this.snapshot.stage !== 'ready' && snapshot.stage === 'ready'
    this.snapshot = snapshot
    this.startFailure = null
    // Who signed up because of a link has answered it by that.
    if (isNew && this.invitation.address !== null) void this.acceptInvitation()
    this.now = Date.now()
    this.notice.take(snapshot.status, snapshot.me)
    this.history.take(snapshot)
    this.recovery.take(snapshot)
  }

  #noteAccount({ stage }: PeerSnapshot): void {
    const isReady = stage === 'ready'
    if (isReady) {
      try {
        this.#storage?.setItem(HAD_ACCOUNT, 'yes')
      } catch {
        // Full: a later loss is then told only if it happens while the app is open.
      }
    }
    const had = this.snapshot?.stage === 'ready' || this.#storage?.getItem(HAD_ACCOUNT) != null
    if (stage === 'welcome' && had) this.wasCleared = true
    if (isReady) this.wasCleared = false
  }

  #heard(message: ChatMessage): void {
    // Changes of older messages are events too; only new messages are read out.
    const isNew = message.kind === 'text' && !message.mine && Date.now() - message.receivedAt < CLOCK_STEP_MS
    if (!isNew) return
    const heard = { ...message, fromName: this.authorName(message) }
    this.announcer.arrived(heard)
    this.onHeard(heard)
  }
}
