import { afterEach, beforeEach, expect, test } from 'vitest'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { commandOn, jsonOn } from '../../../support/peer/run-peer.ts'
import type { TestPeer } from '../../../support/peer/test-peer.ts'
import { twoPeers, type TwoPeers } from '../../../support/peer/two-peers.ts'
import { eventually } from '../../../support/wait-for.ts'

let peers: TwoPeers
let ada: TestPeer
let bob: TestPeer

beforeEach(async () => {
  peers = await twoPeers()
  ;({ ada, bob } = peers)
  peers.network.sites.set('ada.example', JSON.stringify({ accounts: [ada.me.accountId] }))
  peers.network.sites.set('bob.example', JSON.stringify({ accounts: [bob.me.accountId] }))
})
afterEach(() => peers.stop())

test('a site that names the account is linked, and others see that it does, for as long as it does', async () => {
  await ada.send(bob, 'hello')
  await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
  const linked = await jsonOn(ada.engine, 'social', 'link', 'https://ada.example/')
  expect(linked).toMatchObject({ code: 0, lines: [{ kind: 'site', site: 'ada.example', state: 'linked' }] })
  const linksAt = async () => (await jsonOn(bob.engine, 'person', ada.me.accountId)).lines[0] as { links: object[] }
  await eventually(async () => (await linksAt()).links.length === 1, 'Bob hears of it')
  expect((await linksAt()).links[0]).toMatchObject({
    site: 'ada.example',
    url: 'https://ada.example/.well-known/volo.json',
    state: 'linked',
    checkedBy: peers.network.url()
  })
  peers.network.sites.set('ada.example', '{}')
  expect((await linksAt()).links[0]).toMatchObject({ state: 'not-linked' })
  await jsonOn(ada.engine, 'social', 'unlink', 'ada.example')
  await eventually(async () => (await linksAt()).links.length === 0, 'Bob hears that it is gone')
})

test('a site of another person, one that is not there, and what is no site change nothing', async () => {
  for (const [site, words] of [
    ['bob.example', 'does not name this account'],
    ['nobody.example', 'cannot be read'],
    ['http://127.0.0.1', 'a site is a host name']
  ]) {
    const { code, stderr } = await commandOn(ada.engine, 'social', 'link', site!)
    expect(code).toBe(1)
    expect(stderr).toContain(words)
  }
  expect(await jsonOn(ada.engine, 'social', 'list')).toEqual({ code: 0, lines: [] })
})

test('own devices agree on the sites, and name and description stay beside them', async () => {
  const tablet = await linkedDevice(peers.network, ada)
  try {
    await ada.engine.account.changeProfile({ about: 'Poetical science' })
    await ada.engine.social.link('ada.example')
    const sitesAt = async (peer: TestPeer) =>
      (await peer.engine.social.links(ada.me.accountId)).map(link => link.kind === 'site' && link.site)
    await eventually(async () => (await sitesAt(tablet)).join() === 'ada.example', 'the tablet knows it')
    expect((await tablet.engine.snapshot()).me!.about).toBe('Poetical science')
    await tablet.send(bob, 'hello')
    await eventually(async () => (await sitesAt(bob)).join() === 'ada.example', 'Bob knows it')
  } finally {
    await tablet.engine.stop()
  }
})

test('without a connection links are unknown, and shown all the same', async () => {
  await ada.engine.social.link('ada.example')
  peers.network.down.add(0)
  expect(await ada.engine.social.links(ada.me.accountId)).toMatchObject([
    { site: 'ada.example', state: 'unknown', checkedAt: null, checkedBy: null }
  ])
})
