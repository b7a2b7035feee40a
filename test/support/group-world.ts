import type { ChatMessage, GroupMemberView, GroupSummary, Person } from '../../peer/peer-api.ts'
import { groupLine } from './fake-groups.ts'
import { busyWorld, fixtureId, me, message, person, summary, type World } from './fixture-world.ts'

/** The conversation of {@link groupWorld}. */
export const GROUP_ID = fixtureId('group Climbing club')

const MINUTE_MS = 60_000
const ago = (minutes: number): number => Date.now() - minutes * MINUTE_MS
const named = ({ accountId, displayName, isMe }: Person) => ({ accountId, name: displayName ?? '', isMe })

/** Ada is in a group of five. @param change - of the group, such as another role of hers. */
export function groupWorld(change: Partial<GroupSummary> = {}): World {
  const world = busyWorld()
  const self = me()
  const bob = person('Bob')
  const mary = person('Mary Somerville', { username: 'mary' })
  const grace = person('Grace Hopper')
  const long = person('Augusta Ada King-Noel, Countess of Lovelace', { username: 'countess_of_lovelace_1815' })
  const members: GroupMemberView[] = [
    { person: self, role: 'admin', since: ago(9_000), addedBy: self },
    { person: bob, role: 'admin', since: ago(9_000), addedBy: self },
    { person: mary, role: 'member', since: ago(9_000), addedBy: self },
    { person: long, role: 'member', since: ago(3_000), addedBy: bob },
    { person: grace, role: 'member', since: ago(40), addedBy: self }
  ]
  const group: GroupSummary = {
    id: GROUP_ID,
    name: 'Climbing club',
    picture: null,
    description: 'Every Thursday at seven, at the hall by the river.',
    rights: { add: 'admins', edit: 'admins' },
    members: members.length,
    role: 'admin',
    isRequest: false,
    isMuted: false,
    ...change
  }
  const line = (minutes: number, by: Person, what: 'created' | 'added' | 'promoted', who: Person[], text = '') =>
    groupLine(GROUP_ID, by, ago(minutes), { what, by: named(by), who: who.map(named), text })
  const said = (by: Person, minutes: number, text: string, more: Partial<ChatMessage> = {}) =>
    message(by, minutes, text, { conversationId: GROUP_ID, ...more })
  const messages = [
    line(9_000, self, 'created', [bob, mary], 'Climbing club'),
    line(8_990, self, 'promoted', [bob]),
    line(3_000, bob, 'added', [long]),
    said(mary, 180, 'Who brings the long rope on Thursday?'),
    said(bob, 176, 'I can. It is in my car anyway.', {
      reactions: [{ emoji: '👍', from: [self.accountId, long.accountId], isMine: true }]
    }),
    said(bob, 175, 'And the two short ones. @ada, do you have yours?'),
    said(self, 170, 'Then I bring tea.', { state: 'read' }),
    said(long, 60, 'I shall be a quarter of an hour late, the coach from Ockham never keeps its time.'),
    line(40, self, 'added', [grace]),
    said(grace, 12, 'Hello all! Thank you for having me, @ada and @bob.')
  ]
  const conversation = summary(bob, messages, {
    id: GROUP_ID,
    kind: 'group',
    group,
    title: group.name,
    unread: 1,
    unreadMentions: 1
  })
  const { snapshot } = world
  return {
    ...world,
    members: { [GROUP_ID]: members },
    asked: { [GROUP_ID]: [{ person: person('Zoë', { username: 'zoe' }), at: ago(20) }] },
    messages: { ...world.messages, [GROUP_ID]: messages },
    snapshot: { ...snapshot, conversations: [conversation, ...snapshot.conversations] }
  }
}
