import { toHex } from '../../protocol/bytes.ts'
import type { GroupChange } from '../../protocol/groups/group-change.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { GroupLinePerson, SystemLine } from '../system-line.ts'

type GroupLine = Extract<SystemLine, { kind: 'group' }>

/** What is said in the conversation about a change. */
export function lineOf({ change, accountId: signer }: GroupChange): GroupLine {
  const line = (what: GroupLine['what'], who: AccountId[] = [], text = ''): GroupLine => ({
    kind: 'group',
    what,
    by: linePerson(signer),
    who: who.map(linePerson),
    text
  })
  switch (change.kind) {
    case 'create':
      return line(
        'created',
        change.targets.map(({ accountId }) => accountId),
        change.name
      )
    case 'add':
      return line(
        'added',
        change.targets.map(({ accountId }) => accountId)
      )
    case 'remove':
      return line('removed', change.accounts)
    case 'role':
      return line(change.role === 'admin' ? 'promoted' : 'demoted', [change.accountId])
    case 'leave':
      return line('left')
    case 'rename':
      return line('renamed', [], change.name)
    case 'describe':
      return line('described', [], change.description)
    case 'picture':
      return line('picture')
    case 'settings':
      return line('settings')
  }
}

/** A person in a line; names are looked up when it is shown. */
export const linePerson = (accountId: AccountId): GroupLinePerson => ({
  accountId: toHex(accountId),
  name: '',
  isMe: false
})
