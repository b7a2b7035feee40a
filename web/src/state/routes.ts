/** A place in the app. Ids are lower-case hex of 64 characters. */
export type Route =
  | { screen: 'chats' }
  /** `message`: where to jump to. */
  | { screen: 'thread'; conversationId: string; message?: string }
  /** A thread with a page about its person beside it; in a group about the member with this account. */
  | { screen: 'thread-person'; conversationId: string; page: PersonPageName; accountId?: string }
  /** A thread with the page of its group beside it. */
  | { screen: 'thread-group'; conversationId: string }
  | { screen: 'people'; newChat: boolean; query: string }
  | { screen: 'new-group' }
  | { screen: 'person'; accountId: string }
  | { screen: 'record'; accountId: string }
  | { screen: 'safety-check'; accountId: string }
  | { screen: 'you' }
  | { screen: 'devices' }
  | { screen: 'browser-lock' }
  | { screen: 'add-device' }
  | { screen: 'recovery' }
  | { screen: 'backup' }
  | { screen: 'storage' }
  /** A device without an account regains one. */
  | { screen: 'regain' }
  /** A device without an account brings back a backup. */
  | { screen: 'restore' }
  /** A device without an account joins one. */
  | { screen: 'link'; code: string | null }
  | { screen: 'signed-in'; code: string | null; error: string | null }
  /** A link by which a person is invited. */
  | { screen: 'invite'; code: string }
  /** A link by which people join a group. */
  | { screen: 'join-group'; code: string }
  | { screen: 'not-found' }

/** The pages about one person. */
export type PersonPageName = 'person' | 'record' | 'check'

const ID = /^[0-9a-f]{2,128}$/

/** Reads the fragment of an address, with or without its leading `#`. Anything unknown is `not-found`. */
export function parseRoute(fragment: string): Route {
  const [path = '', query = ''] = fragment.replace(/^#/, '').split('?', 2)
  const parameters = new URLSearchParams(query)
  const [first = '', second, third, fourth, ...rest] = path.split('/').filter(Boolean)
  if (rest.length > 0 || (fourth !== undefined && first !== 'chats')) return { screen: 'not-found' }
  switch (first) {
    case '':
      return { screen: 'chats' }
    case 'chats':
      if (second === undefined) return { screen: 'chats' }
      if (!ID.test(second)) return { screen: 'not-found' }
      if (third === undefined) {
        const message = parameters.get('message')
        const jump = message !== null && ID.test(message) ? { message } : {}
        return { screen: 'thread', conversationId: second, ...jump }
      }
      return asideRoute(second, third, fourth)
    case 'new':
      if (second === 'group' && third === undefined) return { screen: 'new-group' }
      return second === undefined
        ? { screen: 'people', newChat: true, query: parameters.get('find') ?? '' }
        : { screen: 'not-found' }
    case 'people':
      if (second === undefined) return { screen: 'people', newChat: false, query: '' }
      return ID.test(second) ? personRoute(second, third) : { screen: 'not-found' }
    case 'you':
      if (second === undefined) return { screen: 'you' }
      if (second === 'devices') return devicesRoute(third)
      if (third !== undefined) return { screen: 'not-found' }
      if (second === 'recovery') return { screen: 'recovery' }
      if (second === 'backup') return { screen: 'backup' }
      if (second === 'storage') return { screen: 'storage' }
      return second === 'lock' ? { screen: 'browser-lock' } : { screen: 'not-found' }
    case 'restore':
      return second === undefined ? { screen: 'restore' } : { screen: 'not-found' }
    case 'regain':
      return second === undefined ? { screen: 'regain' } : { screen: 'not-found' }
    case 'link':
      return third === undefined ? { screen: 'link', code: second ?? null } : { screen: 'not-found' }
    case 'i':
      return second !== undefined && third === undefined && /^[\w-]{16,1024}$/.test(second)
        ? { screen: 'invite', code: second }
        : { screen: 'not-found' }
    case 'join':
      return second !== undefined && third === undefined && /^[\w-]{16,256}$/.test(second)
        ? { screen: 'join-group', code: second }
        : { screen: 'not-found' }
    case 'signed-in':
      return { screen: 'signed-in', code: parameters.get('code'), error: parameters.get('error') }
    default:
      return { screen: 'not-found' }
  }
}

/** What stands beside a thread. */
function asideRoute(conversationId: string, page: string, accountId: string | undefined): Route {
  if (page === 'group' && accountId === undefined) return { screen: 'thread-group', conversationId }
  if (page !== 'person' && page !== 'record' && page !== 'check') return { screen: 'not-found' }
  if (accountId === undefined) return { screen: 'thread-person', conversationId, page }
  return ID.test(accountId) ? { screen: 'thread-person', conversationId, page, accountId } : { screen: 'not-found' }
}

function devicesRoute(page: string | undefined): Route {
  if (page === undefined) return { screen: 'devices' }
  return page === 'add' ? { screen: 'add-device' } : { screen: 'not-found' }
}

function personRoute(accountId: string, page: string | undefined): Route {
  if (page === undefined) return { screen: 'person', accountId }
  if (page === 'record') return { screen: 'record', accountId }
  return page === 'check' ? { screen: 'safety-check', accountId } : { screen: 'not-found' }
}

/** The addresses that screens link to. */
export const links = {
  chats: '#/',
  newChat: '#/new',
  newGroup: '#/new/group',
  people: '#/people',
  you: '#/you',
  devices: '#/you/devices',
  browserLock: '#/you/lock',
  addDevice: '#/you/devices/add',
  link: '#/link',
  recovery: '#/you/recovery',
  regain: '#/regain',
  backup: '#/you/backup',
  storage: '#/you/storage',
  restore: '#/restore',
  thread: (conversationId: string) => `#/chats/${conversationId}`,
  message: (conversationId: string, messageId: string) => `#/chats/${conversationId}?message=${messageId}`,
  threadPerson: (conversationId: string, page: PersonPageName = 'person', accountId?: string) =>
    `#/chats/${conversationId}/${page}${accountId === undefined ? '' : `/${accountId}`}`,
  threadGroup: (conversationId: string) => `#/chats/${conversationId}/group`,
  person: (accountId: string) => `#/people/${accountId}`,
  record: (accountId: string) => `#/people/${accountId}/record`,
  safetyCheck: (accountId: string) => `#/people/${accountId}/check`,
  find: (username: string) => `#/new?find=${encodeURIComponent(username)}`
}
