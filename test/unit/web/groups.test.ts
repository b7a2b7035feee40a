import { describe, expect, it } from 'vitest'
import { GroupView } from '../../../web/src/groups/group-view.svelte.ts'
import { choosable, PeopleChoice } from '../../../web/src/groups/people-choice.svelte.ts'
import { Mentioning } from '../../../web/src/groups/mentioning.svelte.ts'
import { textParts } from '../../../web/src/state/text-parts.ts'
import { FakePeer } from '../../support/fake-peer.ts'
import { person } from '../../support/fixture-world.ts'
import { GROUP_ID, groupWorld } from '../../support/group-world.ts'

const [bob, mary, zoe] = [person('Bob'), person('Mary Somerville'), person('Zoë')]

async function opened() {
  const api = new FakePeer(groupWorld())
  const view = new GroupView(api, GROUP_ID)
  await view.read()
  const names = () => view.members!.map(({ person: { displayName }, role }) => `${displayName?.split(' ')[0]} ${role}`)
  const group = async () => (await api.groups.list())[0]!
  return { api, view, names, group }
}

describe('the page of a group', () => {
  it('shows who was added, removed and made an admin at once', async () => {
    const { view, names } = await opened()
    expect(names()).toEqual(['Ada admin', 'Bob admin', 'Mary member', 'Augusta member', 'Grace member'])
    await view.remove(bob.accountId)
    await view.setRole(mary.accountId, 'admin')
    await view.add([zoe.accountId])
    expect(names()).toEqual(['Ada admin', 'Mary admin', 'Augusta member', 'Grace member', 'Zoë member'])
    expect(view.person(bob.accountId)).toBeUndefined()
  })

  it('says why something was not done, until the next attempt', async () => {
    const { view, group } = await opened()
    await view.remove(bob.accountId)
    expect(await view.leave()).toBe(false)
    expect(view.failure).toMatchObject({ code: 'last-admin' })
    expect(await view.rename('Boulder club')).toBe(true)
    expect(view.failure).toBeNull()
    expect(await view.setRights({ add: 'members' })).toBe(true)
    expect(await group()).toMatchObject({ name: 'Boulder club', rights: { add: 'members', edit: 'admins' } })
  })

  it('reads once more what changed while it was reading', async () => {
    const { api, view, names } = await opened()
    const first = view.read()
    await api.groups.remove(GROUP_ID, [bob.accountId])
    await Promise.all([first, view.read()])
    expect(names()).not.toContain('Bob admin')
  })
})

describe('mentions', () => {
  const people = [bob, mary, person('Bobby Shafto', { username: 'shafto' })]
  const typed = (text: string, caret = text.length) => {
    const mentioning = new Mentioning(() => people)
    mentioning.look(text, caret)
    return { mentioning, names: mentioning.offered.map(({ username }) => username) }
  }

  it('are offered behind an @, by username or a word of the name', () => {
    expect(typed('tea, @bob').names).toEqual(['bob', 'shafto'])
    expect(typed('@SOM').names).toEqual(['mary_somerville'])
    expect(typed('@').names).toHaveLength(3)
    expect(typed('mail ada@bob').names).toEqual([])
    expect(typed('@bob is', 7).names).toEqual([])
  })

  it('put the username into the text, and stay closed once closed', () => {
    const { mentioning } = typed('has @sha the rope?', 8)
    expect(mentioning.take(mentioning.choice!, 'has @sha the rope?')).toEqual({
      text: 'has @shafto the rope?',
      caret: 12
    })
    mentioning.close('@b', 2)
    mentioning.look('@b', 2)
    expect(mentioning.isOpen).toBe(false)
    mentioning.look('@bo', 3)
    expect(mentioning.isOpen).toBe(true)
  })

  it('are marked where a member has the name', () => {
    const parts = textParts('@Bob: https://x.example/@bob and @zoe', new Set(['bob']))
    expect(parts.map(({ text, mentioned }) => (mentioned === null ? text : `[${mentioned}]`))).toEqual([
      '[bob]',
      ': ',
      'https://x.example/@bob',
      ' and @zoe'
    ])
  })
})

describe('people for a group', () => {
  it('are chosen once, and left out again', () => {
    const choice = new PeopleChoice(new FakePeer(groupWorld()))
    choice.toggle(bob)
    choice.takeFound(bob)
    choice.takeFound(zoe)
    expect(choice.accounts).toEqual([bob.accountId, zoe.accountId])
    choice.toggle(bob)
    expect(choice.accounts).toEqual([zoe.accountId])
  })

  it('are not oneself, blocked people and those who are in it', () => {
    const blocked = { ...mary, marks: { ...mary.marks, blocked: true } }
    const self = person('Ada Lovelace', { isMe: true })
    expect(choosable([bob, bob, blocked, self, zoe], new Set([zoe.accountId]))).toEqual([bob])
  })
})
