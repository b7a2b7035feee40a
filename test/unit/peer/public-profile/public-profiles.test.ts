import { afterEach, beforeEach, expect, test } from 'vitest'
import { decodePublicProfile } from '../../../../protocol/profile/public-profile.ts'
import { toHex } from '../../../../protocol/bytes.ts'
import { accountIdFromHex } from '../../../../peer/directory/known-account.ts'
import { loadOwnAccount, ownAccountChange } from '../../../../peer/store/own-account.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { jsonOn } from '../../../support/peer/run-peer.ts'
import type { TestPeer } from '../../../support/peer/test-peer.ts'
import { twoPeers, type TwoPeers } from '../../../support/peer/two-peers.ts'
import { eventually } from '../../../support/wait-for.ts'

let peers: TwoPeers
let ada: TestPeer
let bob: TestPeer

beforeEach(async () => {
  // Of two operators.
  peers = await twoPeers(2)
  ;({ ada, bob } = peers)
  // A name can be shown to others once no node can take it any more.
  await eventually(async () => {
    peers.network.ledger.mine()
    await ada.engine.network.reconnect()
    return ['reserved', 'recorded'].includes((await ada.engine.snapshot()).me!.nameState)
  }, 'the name is reserved')
})
afterEach(() => peers.stop())

const kept = () => peers.network.profilesAt(accountIdFromHex(ada.me.accountId)).map(decodePublicProfile)
const show = async (about = 'Poetical science') => {
  await ada.engine.account.changeProfile({ displayName: 'Ada Lovelace', about })
  await ada.engine.account.changeVisibility({ seenBy: 'everybody' })
}
/** What Bob sees of Ada; he has never heard from her. */
const seen = async () => {
  const { displayName, about } = (await bob.engine.people.find('@ada'))!
  return { displayName, about }
}
const shownAs = (about: string) => ({ displayName: 'Ada Lovelace', about })

test('nobody but those one writes to sees a profile, until its owner shows it to everybody who knows the name', async () => {
  await ada.engine.account.changeProfile({ displayName: 'Ada Lovelace', about: 'Poetical science' })
  expect(await bob.engine.people.find('@ada')).toMatchObject({ displayName: null, about: '' })
  expect(kept()).toEqual([])
  await ada.engine.account.changeVisibility({ seenBy: 'everybody' })
  await eventually(() => kept().length === 1, 'nodes have it')
  bob.slept += 60_000
  expect(await seen()).toEqual(shownAs('Poetical science'))
  expect(await jsonOn(bob.engine, 'person', '@ada')).toMatchObject({
    lines: [{ profile: shownAs('Poetical science') }]
  })
  // Nodes hold no word of it.
  const bytes = Buffer.concat(peers.network.profilesAt(accountIdFromHex(ada.me.accountId)))
  for (const word of ['Lovelace', 'Poetical']) expect(bytes.includes(word)).toBe(false)
  await bob.restart()
  expect((await bob.engine.people.find(ada.me.accountId))?.displayName).toBe('Ada Lovelace')
})

test('what is taken back is gone for who looks again, and an older one that a node brings back is not taken', async () => {
  await show()
  await eventually(() => kept().length === 1, 'nodes have it')
  const older = peers.network.profilesAt(accountIdFromHex(ada.me.accountId))[0]!
  await ada.engine.account.changeProfile({ about: 'Engines' })
  await eventually(() => kept()[0]!.revision === 2, 'nodes have the next')
  expect(await seen()).toEqual(shownAs('Engines'))
  peers.network.profiles.set(ada.me.accountId, new Map([[ada.me.accountId, older]]))
  bob.slept += 60_000
  expect(await seen()).toEqual(shownAs('Engines'))
  await ada.engine.account.changeVisibility({ seenBy: 'contacts' })
  await eventually(() => kept()[0]!.sealed.length === 0, 'nodes have nothing to show')
  bob.slept += 60_000
  expect(await seen()).toEqual({ displayName: null, about: '' })
  // Nor does it come back when every operator brings it.
  peers.network.profiles.set(ada.me.accountId, new Map([[ada.me.accountId, older]]))
  bob.slept += 60_000
  expect(await seen()).toEqual({ displayName: null, about: '' })
})

test('what a person says in a message counts more than what everybody sees', async () => {
  await show()
  await ada.send(bob, 'hello')
  await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
  await ada.engine.account.changeVisibility({ seenBy: 'contacts' })
  await eventually(() => kept()[0]?.sealed.length === 0, 'nodes have nothing to show')
  expect(await seen()).toEqual(shownAs('Poetical science'))
})

test('own devices agree on it, and the one that is left signs again when the other is removed', async () => {
  const tablet = await linkedDevice(peers.network, ada)
  try {
    // As a real linking tells it.
    await tablet.engine.stop()
    const { name } = (await loadOwnAccount(await ada.openStore()))!
    const store = await tablet.openStore()
    await store.batch([ownAccountChange({ ...(await loadOwnAccount(store))!, name })])
    await tablet.start()
    await show()
    await eventually(() => kept().length === 1, 'nodes have it')
    const isAgreed = async () => (await tablet.engine.snapshot()).me!.visibility.seenBy === 'everybody'
    await eventually(isAgreed, 'the tablet has heard of it')
    const signer = ada.me.deviceId
    await tablet.engine.devices.revoke(signer)
    await eventually(async () => {
      peers.network.ledger.mine()
      return toHex(kept()[0]!.deviceId) !== signer
    }, 'the tablet signs')
    bob.slept += 60_000
    expect(await seen()).toEqual(shownAs('Poetical science'))
  } finally {
    await tablet.engine.stop()
  }
})

test('a name elsewhere leads to a person only if they want it, and only while it is theirs', async () => {
  const link = async (code: string) => {
    await ada.engine.social.startAccount('demo', '/')
    await ada.engine.social.finishAccount(code, true)
  }
  await link('x-Ada_L')
  expect(await bob.engine.people.find('x:ada_l')).toBeNull()
  await ada.engine.account.changeVisibility({ isFoundByHandle: true })
  await eventually(() => kept().length === 1, 'nodes have it')
  expect(await bob.engine.people.find('x:ada_l')).toMatchObject({ username: 'ada', accountId: ada.me.accountId })
  expect(await jsonOn(bob.engine, 'person', 'x:@ADA_L')).toMatchObject({ lines: [{ username: 'ada' }] })
  expect(await bob.engine.people.find('github:ada_l')).toBeNull()
  // A node goes on naming it after it was taken back.
  const before = new Map([...peers.network.profiles].map(([place, held]) => [place, new Map(held)]))
  await ada.engine.social.unlinkAccount('x')
  await eventually(() => kept()[0]!.foundBy === null, 'nodes have heard of it')
  for (const [place, held] of before) if (place !== ada.me.accountId) peers.network.profiles.set(place, held)
  expect(await bob.engine.people.find('x:ada_l')).toBeNull()
})

test('the command line shows it and takes it back, and a deleted account leaves nothing to see', async () => {
  const set = await jsonOn(ada.engine, 'profile', 'set', '--seen-by', 'everybody', '--about', 'Engines')
  expect(set).toMatchObject({
    lines: [{ about: 'Engines', visibility: { seenBy: 'everybody', isFoundByHandle: false } }]
  })
  await eventually(() => kept().length === 1 && kept()[0]!.sealed.length > 0, 'nodes have it')
  await ada.engine.account.deleteAccount({ anyway: false })
  expect(kept()[0]!.sealed).toHaveLength(0)
})
