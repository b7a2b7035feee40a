import { busyWorld, person } from '../../support/fixture-world.ts'
import { GROUP_ID, groupWorld } from '../../support/group-world.ts'
import type { Screen } from './screen.ts'

/** Groups: making one, who is in it, and what can be done there. */
export const GROUP_SCREENS: Screen[] = [
  {
    name: 'group-new',
    world: busyWorld,
    hash: '#/new/group',
    act: async (page, words) => {
      await page.getByLabel(words.groups.name).fill('Climbing club')
      await page.getByRole('checkbox', { name: /Bob/ }).check()
      await page.getByLabel(words.people.find).fill('grace_hopper')
      await page.getByLabel(words.people.find).press('Enter')
      await page.getByRole('button', { name: words.groups.leaveOut('Grace Hopper') }).waitFor()
    }
  },
  { name: 'group-thread', world: groupWorld, hash: `#/chats/${GROUP_ID}` },
  {
    name: 'group-page',
    world: groupWorld,
    hash: `#/chats/${GROUP_ID}/group`,
    act: (page, words) => page.getByRole('button', { name: words.groups.actionsFor('Mary Somerville') }).click()
  },
  {
    name: 'group-mention',
    world: groupWorld,
    hash: `#/chats/${GROUP_ID}`,
    act: async (page, words) => {
      await page.getByLabel(words.thread.write('Climbing club')).pressSequentially('Thank you @m')
      await page.getByRole('option', { name: /Mary Somerville/ }).waitFor()
    }
  },
  {
    name: 'group-member',
    world: groupWorld,
    hash: `#/chats/${GROUP_ID}/person/${person('Grace Hopper').accountId}`,
    act: (page, words) => page.getByRole('button', { name: words.people.message, exact: true }).waitFor()
  },
  {
    name: 'group-link',
    world: groupWorld,
    hash: `#/chats/${GROUP_ID}/group`,
    act: async (page, words) => {
      await page.getByRole('button', { name: words.groups.link }).click()
      await page.getByRole('img', { name: words.groups.linkCode }).waitFor()
    }
  },
  {
    name: 'group-add',
    world: groupWorld,
    hash: `#/chats/${GROUP_ID}/group`,
    act: (page, words) => page.getByRole('button', { name: words.groups.add }).click()
  },
  {
    name: 'group-edit',
    world: groupWorld,
    hash: `#/chats/${GROUP_ID}/group`,
    act: (page, words) => page.getByRole('button', { name: words.groups.edit }).click()
  },
  { name: 'group-out', world: () => groupWorld({ role: null }), hash: `#/chats/${GROUP_ID}/group` },
  { name: 'group-request', world: () => groupWorld({ isRequest: true }), hash: `#/chats/${GROUP_ID}` },
  { name: 'group-join', world: busyWorld, hash: '#join/AAAAAAAAAAAAAAAAAAAAAA' }
]
