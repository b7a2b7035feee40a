import { expect, type BrowserContextOptions, type Page } from '@playwright/test'
import {
  busyWorld,
  conversationId,
  emptyWorld,
  filesWorld,
  LINK_CODE,
  linkingWorld,
  fixtureId,
  me,
  message,
  newcomerWorld,
  person,
  status,
  type World
} from '../support/fixture-world.ts'
import { GROUP_ID, groupWorld } from '../support/group-world.ts'
import { saidWorld } from '../support/said-world.ts'
import { FIXTURE_PICTURE } from '../support/fixture-picture.ts'

/** A window, and how text runs in it. */
export interface View {
  name: string
  options: BrowserContextOptions
  rightToLeft?: boolean
  /** Size of the root's text, such as 200%. */
  textSize?: string
  /** Names of the screens to check here; all of them by default. */
  only?: string[]
}

const phone = { hasTouch: true, isMobile: true }
/** Screens that hold every kind of component between them. */
const TELLING = [
  'name-free',
  'chats',
  'thread-end',
  'thread-person',
  'thread-check',
  'thread-menu',
  'thread-said',
  'group-new',
  'group-page',
  'thread-files',
  'backup',
  'restore',
  'thread-alert',
  'person-details',
  'you',
  'devices-remove',
  'lock-set',
  'locked',
  'public-record-technical',
  'switcher',
  'join',
  'add-device',
  'recovery-code'
]
const plain = { serviceWorkers: 'block' } as const

/** The windows in which every screen is looked at. */
export const VIEWS: View[] = [
  { name: 'wide-light', options: { ...plain, viewport: { width: 1280, height: 800 }, colorScheme: 'light' } },
  {
    name: 'wide-dark',
    options: { ...plain, viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
    only: TELLING
  },
  { name: 'tablet', options: { ...plain, viewport: { width: 900, height: 700 } }, only: TELLING },
  {
    name: 'phone-light',
    options: { ...plain, ...phone, viewport: { width: 375, height: 740 }, colorScheme: 'light' },
    only: TELLING
  },
  {
    name: 'narrow-dark-rtl',
    options: { ...plain, ...phone, viewport: { width: 320, height: 640 }, colorScheme: 'dark' },
    rightToLeft: true
  },
  {
    name: 'large-text',
    options: { ...plain, ...phone, viewport: { width: 375, height: 740 } },
    textSize: '200%',
    only: TELLING
  }
]

/** One picture: the world to show, where to go in it, and what to do there. */
export interface Screen {
  name: string
  world: () => World
  hash?: string
  /** Reaches the state on the page, once the world is there. */
  act?: (page: Page) => Promise<void>
}

const bobThread = `#/chats/${conversationId(person('Bob'))}`
const maryThread = `#/chats/${conversationId(person('Mary Somerville', { username: 'mary' }))}`
const charlesId = person('Charles Babbage').accountId
const countessId = person('Augusta Ada King-Noel, Countess of Lovelace').accountId

/** Ada has compared numbers with Bob, and then his devices changed on the public record. */
function alarmed(world: World): World {
  const alert = { kind: 'key', at: Date.now(), username: null } as const
  const conversations = world.snapshot.conversations.map(each =>
    each.person.username === 'bob'
      ? {
          ...each,
          person: { ...each.person, verifiedAt: Date.now(), alert },
          held: 'key' as const
        }
      : each
  )
  return { ...world, snapshot: { ...world.snapshot, conversations } }
}

/** Bob was compared with. */
function verified(world: World): World {
  const conversations = world.snapshot.conversations.map(each =>
    each.person.username === 'bob' ? { ...each, person: { ...each.person, verifiedAt: Date.now() } } : each
  )
  return { ...world, snapshot: { ...world.snapshot, conversations } }
}

/** Nobody on this network can be confirmed by a second operator. */
function oneOperator(world: World): World {
  const conversations = world.snapshot.conversations.map(each => {
    const record = { ...each.person.record, trust: 'L1' as const }
    return { ...each, person: { ...each.person, record, nameConfirmed: false } }
  })
  return { ...world, snapshot: { ...world.snapshot, conversations, status: status({ operators: 1 }) } }
}

/** Texts that a hostile program sends. */
export function hostile(): World {
  const world = busyWorld()
  const bob = person('Bob')
  const texts = ['a' + '\n'.repeat(19_998) + 'b', 'w'.repeat(20_000), 'a' + '\u0301'.repeat(19_999)]
  const messages = texts.map((text, index) => message(bob, 3 - index, text))
  return { ...world, messages: { ...world.messages, [conversationId(bob)]: messages } }
}

function removed(world: World): World {
  return { ...world, snapshot: { ...world.snapshot, me: me({ deviceState: 'removed' }) } }
}

function lostName(world: World): World {
  return { ...world, snapshot: { ...world.snapshot, me: me({ nameState: 'taken' }) } }
}

function offline(world: World): World {
  return {
    ...world,
    snapshot: { ...world.snapshot, status: status({ connection: 'offline', node: null, waiting: 2 }) }
  }
}

/** Another device has used the code, and waits for the answer. */
const ASKING = {
  step: 'asking',
  code: LINK_CODE,
  deviceName: 'Firefox on Android',
  checkWords: ['tissue', 'marble'] as [string, string]
} as const

/** Every screen and state that is looked at, and checked for accessibility. */
export const SCREENS: Screen[] = [
  { name: 'welcome', world: emptyWorld },
  {
    name: 'welcome-failed',
    world: emptyWorld,
    hash: '#/signed-in?error=server_error'
  },
  {
    name: 'join',
    world: emptyWorld,
    hash: '#/link',
    act: async page => {
      await page.getByLabel('The words of the code').fill('legal winner')
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.getByText('That is no code').waitFor()
    }
  },
  {
    name: 'join-asking',
    world: () =>
      linkingWorld(emptyWorld(), {
        side: 'new',
        step: 'asking',
        deviceName: 'Phone',
        checkWords: ['tissue', 'marble']
      }),
    hash: '#/link'
  },
  {
    name: 'regain',
    world: emptyWorld,
    hash: '#/regain',
    act: async page => {
      await page.getByLabel('Your username').fill('ada')
      await page.getByLabel('Recovery code').fill('0123-4567')
      await page.getByRole('button', { name: 'Get my account back' }).click()
      await page.getByText('A character of the code is wrong').waitFor()
    }
  },
  {
    name: 'chats-offer',
    world: emptyWorld,
    hash: '#/regain',
    act: async page => {
      await page.getByLabel('Your username').fill('ada')
      await page.getByLabel('Recovery code').fill('0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV-WXYZ')
      await page.getByRole('button', { name: 'Get my account back' }).click()
      await page.getByRole('region', { name: 'Recovery code' }).waitFor()
    }
  },
  { name: 'name', world: () => at(emptyWorld(), 'choose-name') },
  {
    name: 'name-free',
    world: () => at(emptyWorld(), 'choose-name'),
    act: async page => {
      await page.getByLabel('Username').fill('ada')
      await page.getByLabel('Name shown').fill('Ada Lovelace')
      await page.getByText('@ada is free').waitFor()
    }
  },
  {
    name: 'name-taken',
    world: () => at(emptyWorld(), 'choose-name'),
    act: async page => {
      await page.getByLabel('Username').fill('taken')
      await page.getByText('@taken is taken').waitFor()
    }
  },
  { name: 'chats-empty', world: newcomerWorld },
  { name: 'chats', world: busyWorld },
  {
    name: 'chats-search-nothing',
    world: busyWorld,
    act: page => page.getByLabel('Search chats').fill('zuse')
  },
  {
    name: 'chats-offline',
    world: () => offline(busyWorld()),
    act: page => page.getByText('No connection').first().waitFor()
  },
  { name: 'thread', world: busyWorld, hash: bobThread },
  {
    name: 'thread-end',
    world: busyWorld,
    hash: bobThread,
    act: async page => {
      await page.getByRole('log').evaluate(log => (log.scrollTop = log.scrollHeight))
      await page
        .getByLabel('Write to Bob')
        .fill('One line\nand another one\nand a third, which is quite a bit longer than the others')
    }
  },
  {
    name: 'thread-middle',
    world: busyWorld,
    hash: bobThread,
    act: async page => {
      await page.getByText('Shall I bring the drawings?').last().waitFor()
      await page.getByRole('log').hover()
      // Until the thread has its place, it scrolls by itself, and may undo what the wheel did.
      await expect(async () => {
        await page.mouse.wheel(0, -1_000)
        await page.getByRole('button', { name: 'Jump to newest' }).waitFor({ timeout: 500 })
      }).toPass()
    }
  },
  { name: 'thread-held', world: busyWorld, hash: maryThread },
  { name: 'thread-notes', world: busyWorld, hash: `#/chats/${conversationId(person('Ada Lovelace'))}` },
  {
    name: 'thread-empty',
    world: busyWorld,
    hash: '#/new?find=grace_hopper',
    act: async page => {
      await page.getByRole('button', { name: 'Message Grace Hopper' }).click()
      await page.getByText('Say hello').waitFor()
    }
  },
  { name: 'thread-person', world: busyWorld, hash: `${bobThread}/person` },
  { name: 'new-chat', world: busyWorld, hash: '#/new' },
  {
    name: 'new-chat-found',
    world: busyWorld,
    hash: '#/new?find=zoe',
    act: page => page.getByRole('button', { name: 'Message Zoë' }).waitFor()
  },
  {
    name: 'new-chat-nobody',
    world: busyWorld,
    hash: '#/new?find=nobody_here',
    act: page => page.getByText('Not found yet').waitFor()
  },
  {
    name: 'group-new',
    world: busyWorld,
    hash: '#/new/group',
    act: async page => {
      await page.getByLabel('Name of the group').fill('Climbing club')
      await page.getByRole('checkbox', { name: /Bob/ }).check()
      await page.getByLabel('Find by username').fill('grace_hopper')
      await page.getByLabel('Find by username').press('Enter')
      await page.getByRole('button', { name: 'Leave Grace Hopper out' }).waitFor()
    }
  },
  { name: 'group-thread', world: groupWorld, hash: `#/chats/${GROUP_ID}` },
  {
    name: 'group-page',
    world: groupWorld,
    hash: `#/chats/${GROUP_ID}/group`,
    act: page => page.getByRole('button', { name: 'What to do with Mary Somerville' }).click()
  },
  {
    name: 'group-member',
    world: groupWorld,
    hash: `#/chats/${GROUP_ID}/person/${person('Grace Hopper').accountId}`,
    act: page => page.getByRole('button', { name: 'Message', exact: true }).waitFor()
  },
  {
    name: 'group-link',
    world: groupWorld,
    hash: `#/chats/${GROUP_ID}/group`,
    act: async page => {
      await page.getByRole('button', { name: 'Invitation link' }).click()
      await page.getByRole('img', { name: /as a code/ }).waitFor()
    }
  },
  {
    name: 'group-add',
    world: groupWorld,
    hash: `#/chats/${GROUP_ID}/group`,
    act: page => page.getByRole('button', { name: 'Add people' }).click()
  },
  {
    name: 'group-edit',
    world: groupWorld,
    hash: `#/chats/${GROUP_ID}/group`,
    act: page => page.getByRole('button', { name: 'Edit' }).click()
  },
  { name: 'group-out', world: () => groupWorld({ role: null }), hash: `#/chats/${GROUP_ID}/group` },
  { name: 'group-request', world: () => groupWorld({ isRequest: true }), hash: `#/chats/${GROUP_ID}` },
  { name: 'group-join', world: busyWorld, hash: '#join/AAAAAAAAAAAAAAAAAAAAAA' },
  { name: 'people', world: busyWorld, hash: '#/people' },
  { name: 'person-pending', world: busyWorld, hash: `#/people/${charlesId}` },
  {
    name: 'person-details',
    world: busyWorld,
    hash: `#/people/${countessId}`,
    act: async page => {
      await page.getByText('Details', { exact: true }).click()
      await page.getByText('Technical details').first().click()
    }
  },
  { name: 'person-verified', world: () => verified(busyWorld()), hash: `#/people/${person('Bob').accountId}` },
  { name: 'thread-check', world: () => verified(busyWorld()), hash: `${bobThread}/check` },
  { name: 'thread-record', world: busyWorld, hash: `${bobThread}/record` },
  {
    name: 'thread-menu',
    world: busyWorld,
    hash: bobThread,
    act: async page => {
      await page.getByText('Are you there?').first().waitFor()
      await page.locator('.note', { hasText: 'Shall I bring the drawings' }).click({ button: 'right' })
      await page.getByRole('menu').waitFor()
    }
  },
  {
    name: 'thread-said',
    world: saidWorld,
    hash: bobThread,
    act: async page => {
      await page.locator('.note', { hasText: 'This one does not stay' }).click({ button: 'right' })
      await page.getByRole('menuitem', { name: 'Reply' }).click()
    }
  },
  {
    name: 'thread-delete',
    world: saidWorld,
    hash: bobThread,
    act: async page => {
      await page.locator('.note', { hasText: 'This one does not stay' }).click({ button: 'right' })
      await page.getByRole('menuitem', { name: 'Delete' }).click()
    }
  },
  {
    name: 'thread-files',
    world: filesWorld,
    hash: bobThread,
    act: async page => {
      await page.getByRole('log').evaluate(log => (log.scrollTop = log.scrollHeight))
      await page.locator('input[type=file]').setInputFiles([
        { name: 'sketch.png', mimeType: 'image/png', buffer: Buffer.from(FIXTURE_PICTURE) },
        { name: 'table.csv', mimeType: 'text/csv', buffer: Buffer.from('a,b') }
      ])
      await page.getByRole('list', { name: 'Files to send' }).locator('img').waitFor()
    }
  },
  {
    name: 'picture-viewer',
    world: filesWorld,
    hash: bobThread,
    act: async page => {
      await page.getByRole('button', { name: 'Open the picture hills.png' }).click()
      await page.getByRole('button', { name: 'Zoom in' }).waitFor()
    }
  },
  { name: 'backup', world: busyWorld, hash: '#/you/backup' },
  { name: 'restore', world: emptyWorld, hash: '#/restore' },
  { name: 'thread-hostile', world: hostile, hash: bobThread },
  { name: 'one-operator', world: () => oneOperator(busyWorld()) },
  { name: 'one-operator-person', world: () => oneOperator(busyWorld()), hash: `#/people/${person('Bob').accountId}` },
  {
    name: 'one-operator-network',
    world: () => oneOperator(busyWorld()),
    hash: '#/you',
    act: page => page.getByText('One operator runs').scrollIntoViewIfNeeded()
  },
  { name: 'you', world: busyWorld, hash: '#/you' },
  {
    name: 'you-name-taken',
    world: () => lostName(busyWorld()),
    hash: '#/you',
    act: async page => {
      await page.getByRole('button', { name: 'Choose another username' }).click()
      await page.getByLabel('Username').fill('ada_l')
      await page.getByText('@ada_l is free').waitFor()
    }
  },
  {
    name: 'you-edit-name',
    world: busyWorld,
    hash: '#/you',
    act: async page => {
      await page.getByRole('button', { name: 'Edit name' }).click()
      await page.getByLabel('Name that others see').fill('')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Your name needs a letter').waitFor()
    }
  },
  { name: 'devices', world: busyWorld, hash: '#/you/devices' },
  {
    name: 'devices-remove',
    world: busyWorld,
    hash: '#/you/devices',
    act: async page => {
      await page.getByRole('button', { name: 'Remove Chrome on Linux' }).click()
      await page.getByRole('dialog').waitFor()
    }
  },
  { name: 'lock-none', world: busyWorld, hash: '#/you/lock' },
  { name: 'lock-set', world: busyWorld, hash: '#/you/lock', act: setLock },
  {
    name: 'locked',
    world: busyWorld,
    hash: '#/you/lock',
    act: async page => {
      await setLock(page)
      await page.getByRole('button', { name: 'Lock now' }).click()
      await page.getByLabel('Passphrase', { exact: true }).fill('wrong')
      await page.getByRole('button', { name: 'Unlock' }).click()
      await page.getByRole('alert').waitFor()
      await page.getByText('Forgot the passphrase?').click()
    }
  },
  {
    name: 'devices-rename',
    world: busyWorld,
    hash: '#/you/devices',
    act: async page => {
      await page.getByRole('button', { name: 'Rename Chrome on Linux' }).click()
      await page.getByText('1 removed device').click()
    }
  },
  { name: 'add-device', world: busyWorld, hash: '#/you/devices/add' },
  { name: 'add-device-asking', world: () => linkingWorld(busyWorld(), ASKING), hash: '#/you/devices/add' },
  {
    name: 'add-device-refused',
    world: () => linkingWorld(busyWorld(), ASKING),
    hash: '#/you/devices/add',
    act: page => page.getByRole('button', { name: 'Don’t add' }).click()
  },
  {
    name: 'chats-arriving',
    world: () => ({
      ...busyWorld(),
      history: { state: 'receiving', from: 'ab', chats: 14, chatsTotal: 32, messages: 4_711, shipping: [] }
    })
  },
  { name: 'recovery', world: busyWorld, hash: '#/you/recovery' },
  {
    name: 'recovery-code',
    world: busyWorld,
    hash: '#/you/recovery',
    act: page => page.getByRole('button', { name: 'Make a recovery code' }).click()
  },
  {
    name: 'recovery-waits',
    world: () => ({
      ...busyWorld(),
      recovery: {
        isSet: false,
        waiting: { byDevice: fixtureId('phone').slice(0, 32), isByThis: false, countsFrom: 4_000_000_000_000 }
      }
    }),
    hash: '#/you/recovery'
  },
  { name: 'devices-removed', world: () => removed(busyWorld()), hash: '#/you/devices' },
  { name: 'public-record-own', world: busyWorld, hash: `#/people/${me().accountId}/record` },
  {
    name: 'public-record-technical',
    world: busyWorld,
    hash: `#/people/${person('Bob').accountId}/record`,
    act: async page => {
      await page.getByText('Technical details').first().click()
      await page.getByText('npx volo-verify').scrollIntoViewIfNeeded()
    }
  },
  {
    name: 'public-record-alert',
    world: () => alarmed(busyWorld()),
    hash: `#/people/${person('Bob').accountId}/record`
  },
  { name: 'thread-alert', world: () => alarmed(busyWorld()), hash: bobThread },
  { name: 'safety-check', world: busyWorld, hash: `#/people/${person('Bob').accountId}/check` },
  {
    name: 'safety-check-same',
    world: busyWorld,
    hash: `#/people/${person('Bob').accountId}/check`,
    act: page => page.getByRole('button', { name: 'They are the same' }).click()
  },
  {
    name: 'safety-check-differs',
    world: busyWorld,
    hash: `#/people/${person('Bob').accountId}/check`,
    act: page => page.getByRole('button', { name: 'They differ' }).click()
  },
  { name: 'you-reserving', world: newcomerWorld, hash: '#/you' },
  {
    name: 'you-end',
    world: busyWorld,
    hash: '#/you',
    act: page => page.getByRole('heading', { name: 'About' }).scrollIntoViewIfNeeded()
  },
  {
    name: 'switcher',
    world: busyWorld,
    hash: bobThread,
    act: async page => {
      await page.keyboard.press('Control+k')
      await page.getByRole('listbox').waitFor()
    }
  },
  {
    name: 'keys',
    world: busyWorld,
    act: async page => {
      await page.keyboard.press('?')
      await page.getByRole('dialog').waitFor()
    }
  },
  { name: 'not-found', world: busyWorld, hash: '#/nowhere' }
]

function at(world: World, stage: World['snapshot']['stage']): World {
  return { ...world, snapshot: { ...world.snapshot, stage } }
}

async function setLock(page: Page): Promise<void> {
  await page.getByLabel('New passphrase').fill('correct horse battery')
  await page.getByLabel('The same again').fill('correct horse battery')
  await page.getByRole('button', { name: 'Set the lock' }).click()
  await page.getByRole('button', { name: 'Lock now' }).waitFor()
}
