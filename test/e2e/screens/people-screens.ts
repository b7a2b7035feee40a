import { busyWorld, me, person } from '../../support/fixture-world.ts'
import { alarmed, oneOperator, verified } from './worlds.ts'
import { BOB_THREAD, CHARLES, COUNTESS } from './addresses.ts'
import type { Screen } from './screen.ts'

/** Other people: finding them, who they are, their public record, and comparing safety numbers. */
export const PEOPLE_SCREENS: Screen[] = [
  { name: 'thread-person', world: busyWorld, hash: `${BOB_THREAD}/person` },
  { name: 'thread-check', world: () => verified(busyWorld()), hash: `${BOB_THREAD}/check` },
  { name: 'thread-record', world: busyWorld, hash: `${BOB_THREAD}/record` },
  { name: 'new-chat', world: busyWorld, hash: '#/new' },
  {
    name: 'new-chat-found',
    world: busyWorld,
    hash: '#/new?find=zoe',
    act: (page, words) => page.getByRole('button', { name: words.people.messageTo('Zoë') }).waitFor()
  },
  {
    name: 'new-chat-nobody',
    world: busyWorld,
    hash: '#/new?find=nobody_here',
    act: (page, words) => page.getByText(words.people.notYet).waitFor()
  },
  { name: 'people', world: busyWorld, hash: '#/people' },
  { name: 'person-pending', world: busyWorld, hash: `#/people/${CHARLES}` },
  {
    name: 'person-details',
    world: busyWorld,
    hash: `#/people/${COUNTESS}`,
    act: async (page, words) => {
      await page.getByText(words.person.details, { exact: true }).click()
      await page.getByText(words.person.technical).first().click()
    }
  },
  { name: 'person-verified', world: () => verified(busyWorld()), hash: `#/people/${person('Bob').accountId}` },
  { name: 'one-operator-person', world: () => oneOperator(busyWorld()), hash: `#/people/${person('Bob').accountId}` },
  { name: 'public-record-own', world: busyWorld, hash: `#/people/${me().accountId}/record` },
  {
    name: 'public-record-technical',
    world: busyWorld,
    hash: `#/people/${person('Bob').accountId}/record`,
    act: async (page, words) => {
      await page.getByText(words.person.technical).first().click()
      await page.getByText('npx volo-verify').scrollIntoViewIfNeeded()
    }
  },
  {
    name: 'public-record-alert',
    world: () => alarmed(busyWorld()),
    hash: `#/people/${person('Bob').accountId}/record`
  },
  { name: 'safety-check', world: busyWorld, hash: `#/people/${person('Bob').accountId}/check` },
  {
    name: 'safety-check-same',
    world: busyWorld,
    hash: `#/people/${person('Bob').accountId}/check`,
    act: (page, words) => page.getByRole('button', { name: words.safetyCheck.match }).click()
  },
  {
    name: 'safety-check-differs',
    world: busyWorld,
    hash: `#/people/${person('Bob').accountId}/check`,
    act: (page, words) => page.getByRole('button', { name: words.safetyCheck.mismatch }).click()
  }
]
