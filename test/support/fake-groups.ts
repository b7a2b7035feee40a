import { PeerError } from '../../peer/errors.ts'
import type {
  ChatMessage,
  ConversationSummary,
  GroupAbout,
  GroupChanged,
  GroupLinkOptions,
  GroupMemberView,
  GroupRights,
  GroupsApi,
  GroupSummary,
  Person
} from '../../peer/peer-api.ts'
import type { GroupLineKind, GroupLinePerson } from '../../peer/system-line.ts'
import { FIXTURE_PICTURE } from './fixture-picture.ts'
import { fixtureId, me as newMe, NOTHING_SAID, summary, type World } from './fixture-world.ts'

/** What the scripted peer does for its groups. */
interface Stage {
  world: () => World
  people: () => Person[]
  put: (message: ChatMessage) => void
  show: (conversation: ConversationSummary) => void
}

/** The groups of a scripted peer: every change counts at once, and has its line. */
export class FakeGroups implements GroupsApi {
  readonly #stage: Stage
  readonly #pictures = new Map<string, Uint8Array>()

  constructor(stage: Stage) {
    this.#stage = stage
  }

  list = async () => this.#stage.world().snapshot.conversations.flatMap(({ group }) => group ?? [])
  members = async (id: string) => this.#members(id)
  #needsApproval = false
  link = async (id: string, { needsApproval = this.#needsApproval }: GroupLinkOptions = {}) => {
    this.#needsApproval = needsApproval
    return { url: `http://127.0.0.1:8787/#join/${id}`, needsApproval }
  }
  requests = async (id: string) => this.#stage.world().asked?.[id] ?? []
  answerRequest = async (id: string, account: string, isApproved: boolean) => {
    const world = this.#stage.world()
    const left = (await this.requests(id)).filter(({ person }) => person.accountId !== account)
    world.asked = { ...world.asked, [id]: left }
    if (isApproved) await this.add(id, [account])
    return this.#group(id)
  }
  join = async () => this.#stage.world().messages[this.#stage.world().snapshot.conversations[0]!.id]![0]!

  create = async (name: string, accounts: string[], { description = '', picture }: GroupAbout = {}) => {
    const me = this.#me()
    const now = Date.now()
    const others = accounts.map(account => this.#person(account))
    const id = fixtureId(`group ${name}`)
    const rights = { add: 'admins', edit: 'admins' } as const
    const group = {
      id,
      name,
      description,
      picture: this.#keep(id, picture ?? null),
      rights,
      members: 1 + others.length,
      role: 'admin',
      isRequest: false,
      isMuted: false
    } as const
    this.#put(id, [
      { person: me, role: 'admin', since: now, addedBy: me },
      ...others.map(person => ({ person, role: 'member', since: now, addedBy: me }) as const)
    ])
    this.#stage.show(summary(others[0] ?? me, [], { id, kind: 'group', group, title: name, updatedAt: now }))
    return this.#changed(id, {}, 'created', others, name)
  }

  add = async (id: string, accounts: string[]) => {
    const added = accounts.map(account => this.#person(account))
    const since = Date.now()
    const addedBy = this.#me()
    this.#put(id, [...this.#members(id), ...added.map(person => ({ person, role: 'member', since, addedBy }) as const)])
    return this.#changed(id, {}, 'added', added)
  }

  remove = async (id: string, accounts: string[]) => {
    const gone = this.#members(id).filter(({ person }) => accounts.includes(person.accountId))
    this.#put(
      id,
      this.#members(id).filter(member => !gone.includes(member))
    )
    return this.#changed(
      id,
      {},
      'removed',
      gone.map(({ person }) => person)
    )
  }

  setRole = async (id: string, account: string, role: 'admin' | 'member') => {
    this.#put(
      id,
      this.#members(id).map(member => (member.person.accountId === account ? { ...member, role } : member))
    )
    return this.#changed(id, {}, role === 'admin' ? 'promoted' : 'demoted', [this.#person(account)])
  }

  rename = async (id: string, name: string) => this.#changed(id, { name }, 'renamed', [], name)
  describe = async (id: string, description: string) => this.#changed(id, { description }, 'described', [], description)

  setPicture = async (id: string, picture: Uint8Array | null) =>
    this.#changed(id, { picture: this.#keep(id, picture) }, 'picture', [])
  picture = async (id: string) => {
    const content = this.#pictures.get(id) ?? FIXTURE_PICTURE
    return this.#group(id).picture === null ? null : ({ type: 'image/png', content } as const)
  }

  /** @returns the name of the picture. */
  #keep(id: string, picture: Uint8Array | null): string | null {
    if (picture) this.#pictures.set(id, picture)
    return picture && fixtureId(`picture ${id} ${picture.length}`)
  }

  setRights = async (id: string, rights: Partial<GroupRights>) =>
    this.#changed(id, { rights: { ...this.#group(id).rights, ...rights } }, 'settings', [])

  leave = async (id: string) => {
    const admins = this.#members(id).filter(({ role, person }) => role === 'admin' && !person.isMe)
    if (admins.length === 0) throw new PeerError('last-admin')
    this.#put(
      id,
      this.#members(id).filter(({ person }) => !person.isMe)
    )
    return this.#changed(id, { role: null }, 'left', [])
  }

  mute = async (id: string, isMuted: boolean) => {
    const group = { ...this.#group(id), isMuted }
    this.#stage.show({ ...this.#conversation(id), group })
    return group
  }

  answer = async (id: string) => {
    const group = { ...this.#group(id), isRequest: false }
    this.#stage.show({ ...this.#conversation(id), group })
    return group
  }

  #me(): Person {
    return this.#stage.world().snapshot.me ?? newMe()
  }

  #person(account: string): Person {
    const person = this.#stage.people().find(({ accountId }) => accountId === account)
    if (!person) throw new PeerError('no-account')
    return person
  }

  #conversation(id: string): ConversationSummary {
    const found = this.#stage.world().snapshot.conversations.find(each => each.id === id)
    if (!found) throw new PeerError('no-group')
    return found
  }

  #group(id: string): GroupSummary {
    return this.#conversation(id).group!
  }

  #members(id: string): GroupMemberView[] {
    return this.#stage.world().members?.[id] ?? []
  }

  #put(id: string, members: GroupMemberView[]): void {
    const world = this.#stage.world()
    world.members = { ...world.members, [id]: members }
  }

  #changed(id: string, change: Partial<GroupSummary>, what: GroupLineKind, who: Person[], text = ''): GroupChanged {
    const group = { ...this.#group(id), ...change, members: this.#members(id).length }
    this.#stage.show({ ...this.#conversation(id), group })
    const me = this.#me()
    const line = groupLine(id, me, Date.now(), { what, by: named(me), who: who.map(named), text })
    this.#stage.put(line)
    return { group, line }
  }
}

const named = ({ accountId, displayName, isMe }: Person): GroupLinePerson => ({
  accountId,
  name: displayName ?? '',
  isMe
})

/** A line about a change of a group. */
export function groupLine(
  conversationId: string,
  by: Person,
  at: number,
  line: { what: GroupLineKind; by: GroupLinePerson; who: GroupLinePerson[]; text: string }
): ChatMessage {
  return {
    ...NOTHING_SAID,
    id: fixtureId(`${conversationId} ${line.what} ${at} ${line.text}`),
    conversationId,
    from: by.accountId,
    fromName: by.displayName ?? '',
    mine: by.isMe,
    kind: 'system',
    text: '',
    line: { kind: 'group', ...line },
    file: null,
    sentAt: at,
    receivedAt: at,
    state: by.isMe ? 'sent' : null,
    problem: null
  }
}
