import { afterEach, beforeEach, expect, test } from 'vitest'
import { fromHex } from '../../../../protocol/bytes.ts'
import { accountIdFromHex } from '../../../../peer/directory/known-account.ts'
import { LINK_FRESH_MS } from '../../../../peer/social/linked-accounts.ts'
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
  await ada.send(bob, 'hello')
  await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
})
afterEach(() => peers.stop())

const linksAt = (peer: TestPeer) => peer.engine.social.links(ada.me.accountId)
async function link(code: string, isShown = true) {
  await ada.engine.social.startAccount('demo', '/')
  return ada.engine.social.finishAccount(code, isShown)
}

test('an account elsewhere is shown with whose word it is, and no longer once it is taken back', async () => {
  const own = await link('x-ada_l')
  const said = { kind: 'account', provider: 'x', handle: 'ada_l', url: 'https://x.com/ada_l', state: 'said' }
  expect(own).toMatchObject([{ ...said, isShown: true, checkedBy: peers.network.url() }])
  await eventually(async () => (await linksAt(bob)).length === 1, 'Bob hears of it')
  const [shown] = await linksAt(bob)
  expect(shown).toMatchObject({ ...said, checkedBy: peers.network.url(), checkedAt: expect.any(Number) })
  expect(shown).not.toHaveProperty('isShown')
  await ada.engine.social.unlinkAccount('x')
  await eventually(async () => (await linksAt(bob)).length === 0, 'Bob hears that it is gone')
})

test('one that is hidden stays on the own devices, which agree on it', async () => {
  const tablet = await linkedDevice(peers.network, ada)
  try {
    await link('github-secret_handle', false)
    await link('x-ada')
    await eventually(async () => (await linksAt(bob)).length === 1, 'Bob hears of the one that is shown')
    expect(JSON.stringify(await linksAt(bob))).not.toContain('secret_handle')
    await eventually(async () => (await linksAt(tablet)).length === 2, 'the tablet knows both')
    await tablet.engine.social.showAccount('github', true)
    await eventually(async () => (await linksAt(bob)).length === 2, 'Bob sees both')
    await ada.engine.account.changeProfile({ about: 'Poetical science' })
    expect(await linksAt(ada)).toHaveLength(2)
  } finally {
    await tablet.engine.stop()
  }
})

test('a provider counts once: signing in again replaces what was said', async () => {
  await link('x-old')
  await link('x-new')
  expect(await linksAt(ada)).toMatchObject([{ provider: 'x', handle: 'new' }])
  await expect(
    (async () => {
      for (const provider of ['a', 'b', 'c', 'd']) await link(`${provider}-ada`)
    })()
  ).rejects.toMatchObject({ code: 'too-many-accounts', facts: { limit: 4 } })
})

test('a node cannot make a word about another account count, here or with others', async () => {
  peers.network.linksFor = accountIdFromHex(bob.me.accountId)
  await expect(link('x-ada')).rejects.toMatchObject({ code: 'bad-answer' })
  expect(await linksAt(ada)).toEqual([])
})

test('a used code, one of another device and what is no code link nothing', async () => {
  await link('x-ada')
  for (const code of ['x-ada', 'junk', '', 'x'.repeat(300)]) {
    await expect(link(code)).rejects.toMatchObject({ code: 'sign-in-failed' })
  }
  expect(await linksAt(ada)).toHaveLength(1)
})

test('a code that comes without a sign-in that began here links nothing: a stranger may send one', async () => {
  await expect(ada.engine.social.finishAccount('x-mallory', true)).rejects.toMatchObject({ code: 'sign-in-elsewhere' })
  await link('x-ada')
  await expect(ada.engine.social.finishAccount('github-mallory', true)).rejects.toMatchObject({
    code: 'sign-in-elsewhere'
  })
  expect(await linksAt(ada)).toMatchObject([{ handle: 'ada' }])
})

test('an old word is shown as old, one of a node that is not listed as that, and one of a time to come not at all', async () => {
  await link('x-ada')
  await eventually(async () => (await linksAt(bob)).length === 1, 'Bob hears of it')
  bob.clockOffset = LINK_FRESH_MS + 1_000
  expect(await linksAt(bob)).toMatchObject([{ state: 'old' }])
  bob.clockOffset = -2 * 24 * 60 * 60 * 1000
  expect(await linksAt(bob)).toEqual([])
  bob.clockOffset = 0
  const [node] = peers.network.epoch.nodes
  const key = node!.key
  Object.assign(node!, { key: fromHex('11'.repeat(32)) })
  try {
    expect(await linksAt(ada)).toHaveLength(1)
  } finally {
    Object.assign(node!, { key })
  }
})

test('the commands print the address to sign in at, take the address that the browser ended at, show, hide and unlink', async () => {
  const started = await jsonOn(ada.engine, 'social', 'link', 'demo')
  expect(started).toMatchObject({
    code: 0,
    lines: [{ url: expect.stringContaining('/demo'), returnTo: 'http://127.0.0.1:9/' }]
  })
  const ended = 'http://127.0.0.1:9/#/signed-in?code=x-ada'
  expect(await jsonOn(ada.engine, 'social', 'link', 'x', '--code', ended, '--hidden')).toMatchObject({
    code: 0,
    lines: [{ kind: 'account', provider: 'x', handle: 'ada', isShown: false }]
  })
  expect((await jsonOn(ada.engine, 'social', 'show', 'x')).lines).toMatchObject([{ isShown: true }])
  await eventually(async () => (await linksAt(bob)).length === 1, 'Bob hears of it')
  const person = await jsonOn(bob.engine, 'person', ada.me.accountId)
  expect(person.lines).toMatchObject([{ links: [{ kind: 'account', handle: 'ada', state: 'said' }] }])
  expect((await commandOn(bob.engine, 'person', ada.me.accountId)).stdout).toContain('and nobody else')
  expect((await jsonOn(ada.engine, 'social', 'hide', 'x')).lines).toMatchObject([{ isShown: false }])
  expect((await jsonOn(ada.engine, 'social', 'unlink', 'x')).lines).toEqual([])
  expect(await commandOn(ada.engine, 'social', 'link', 'myspace')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('does not offer')
  })
})
