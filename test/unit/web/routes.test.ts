import { describe, expect, it } from 'vitest'
import { contactLink, linkInCode } from '../../../web/src/invites/contact-code.ts'
import { links, parseRoute } from '../../../web/src/state/routes.ts'
import { Router, type AddressBar } from '../../../web/src/state/router.svelte.ts'

const ID = 'ab'.repeat(32)

/** An address bar without a browser. */
function addressBar(hash: string) {
  let listener = () => {}
  const visited: string[] = []
  const location = {
    pathname: '/',
    search: '',
    get hash() {
      return hash
    },
    set hash(value: string) {
      hash = value
      visited.push(value)
      listener()
    }
  }
  const bar: AddressBar = {
    location,
    history: { replaceState: (_data, _unused, url) => (hash = url.slice(url.indexOf('#'))) },
    addEventListener: (_type, onChange) => (listener = onChange)
  }
  return {
    bar,
    visited,
    get hash() {
      return hash
    }
  }
}

describe('a scanned code', () => {
  it('leads to a person, an invitation or a group, whichever address of the network it names', () => {
    const own = contactLink('https://one.example/volo/', 'ada')
    expect(own).toBe('https://one.example/volo/#/new?find=ada')
    expect(linkInCode(own)).toBe('#/new?find=ada')
    expect(linkInCode('https://other.example/#/i/0123456789abcdef')).toBe('#/i/0123456789abcdef')
  })

  it('leads nowhere else', () => {
    const others = [
      'https://evil.example/',
      'javascript:alert(1)',
      'https://one.example/#/you/devices',
      'https://one.example/#/link/abc',
      'https://one.example/#/signed-in?code=1',
      '#/new',
      '#//evil.example',
      ''
    ]
    expect(others.filter(text => linkInCode(text) !== null)).toEqual([])
  })
})

describe('addresses', () => {
  it('lead where their links say', () => {
    expect(parseRoute('')).toEqual({ screen: 'chats' })
    expect(parseRoute(links.chats)).toEqual({ screen: 'chats' })
    expect(parseRoute(links.thread(ID))).toEqual({ screen: 'thread', conversationId: ID })
    expect(parseRoute(links.message(ID, 'cd'))).toEqual({ screen: 'thread', conversationId: ID, message: 'cd' })
    expect(parseRoute(`#/chats/${ID}?message=x`)).toEqual({ screen: 'thread', conversationId: ID })
    expect(parseRoute(links.threadPerson(ID))).toEqual({
      screen: 'thread-person',
      conversationId: ID,
      page: 'person'
    })
    expect(parseRoute(links.threadPerson(ID, 'check'))).toMatchObject({ screen: 'thread-person', page: 'check' })
    expect(parseRoute(links.threadPerson(ID, 'record'))).toMatchObject({ screen: 'thread-person', page: 'record' })
    expect(parseRoute(links.threadPerson(ID, 'check', ID))).toMatchObject({ page: 'check', accountId: ID })
    expect(parseRoute(links.threadGroup(ID))).toEqual({ screen: 'thread-group', conversationId: ID })
    expect(parseRoute(links.newGroup)).toEqual({ screen: 'new-group' })
    expect(parseRoute(`#join/${'A'.repeat(64)}`)).toEqual({ screen: 'join-group', code: 'A'.repeat(64) })
    expect(parseRoute(links.people)).toEqual({ screen: 'people', newChat: false, query: '' })
    expect(parseRoute(links.newChat)).toEqual({ screen: 'people', newChat: true, query: '' })
    expect(parseRoute(links.find('a&b'))).toEqual({ screen: 'people', newChat: true, query: 'a&b' })
    expect(parseRoute(links.person(ID))).toEqual({ screen: 'person', accountId: ID })
    expect(parseRoute(links.record(ID))).toEqual({ screen: 'record', accountId: ID })
    expect(parseRoute(links.safetyCheck(ID))).toEqual({ screen: 'safety-check', accountId: ID })
    expect(parseRoute(links.you)).toEqual({ screen: 'you' })
    expect(parseRoute(links.devices)).toEqual({ screen: 'devices' })
    expect(parseRoute(links.addDevice)).toEqual({ screen: 'add-device' })
    expect(parseRoute(links.recovery)).toEqual({ screen: 'recovery' })
    expect(parseRoute(links.regain)).toEqual({ screen: 'regain' })
    expect(parseRoute(links.backup)).toEqual({ screen: 'backup' })
    expect(parseRoute(links.storage)).toEqual({ screen: 'storage' })
    expect(parseRoute(links.restore)).toEqual({ screen: 'restore' })
    expect(parseRoute(links.link)).toEqual({ screen: 'link', code: null })
    expect(parseRoute(`${links.link}/c2Vj-_`)).toEqual({ screen: 'link', code: 'c2Vj-_' })
  })

  it('that nobody gave out lead to "not found"', () => {
    for (const address of [
      '#/nowhere',
      '#/chats/../etc',
      '#/chats/XYZ',
      `#/chats/${ID}/other`,
      '#/you/more',
      '#/you/devices/other',
      '#/regain/x',
      '#/restore/x',
      '#/link/a/b',
      `#/people/${ID}/x`
    ]) {
      expect(parseRoute(address), address).toEqual({ screen: 'not-found' })
    }
  })

  it('of a sign-in carry the code or the error', () => {
    expect(parseRoute('#/signed-in?code=1f')).toEqual({ screen: 'signed-in', code: '1f', error: null })
    expect(parseRoute('#/signed-in?error=access_denied')).toEqual({
      screen: 'signed-in',
      code: null,
      error: 'access_denied'
    })
  })
})

describe('the router', () => {
  it('follows the address bar', () => {
    const { bar } = addressBar('#/you')
    const router = new Router(bar)
    router.start()
    expect(router.route.screen).toBe('you')
    router.go(links.people)
    expect(router.route.screen).toBe('people')
  })

  it('replaces an address without leaving it in the history', () => {
    const place = addressBar('#/signed-in?code=secret')
    const router = new Router(place.bar)
    router.replace(links.chats)
    expect(router.route).toEqual({ screen: 'chats' })
    expect(place.hash).toBe('#/')
    expect(place.visited).toEqual([])
  })
})
