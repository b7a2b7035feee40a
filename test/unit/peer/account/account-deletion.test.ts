import { afterEach, beforeEach, expect, test } from 'vitest'
import { FIXTURE_JPEG } from '../../../support/fixture-picture.ts'
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

/** Until the name stands in a block and can no longer be contested for a while. */
const named = (peer: TestPeer, state: string) =>
  eventually(async () => {
    peers.network.ledger.mine()
    return (await peer.engine.snapshot()).me!.nameState === state
  }, `the name is ${state}`)

test('a username is given back, others find nobody by it, and another one may be claimed', async () => {
  await named(ada, 'reserved')
  await expect(commandOn(ada.engine, 'name', '--release')).rejects.toThrow('needs --yes. The public record keeps')
  await expect(commandOn(ada.engine, 'name', 'x', '--release', '--yes')).rejects.toThrow('give a NAME, or --release')
  expect(await jsonOn(ada.engine, 'name', '--release', '--yes')).toMatchObject({
    code: 0,
    lines: [{ username: null, nameState: 'none' }]
  })
  peers.network.ledger.mine()
  await eventually(async () => {
    await bob.engine.people.refresh(ada.me.accountId)
    return (await bob.engine.people.find('@ada')) === null
  }, 'nobody has the name')
  await ada.restart()
  await ada.engine.online(5_000)
  expect((await ada.engine.snapshot()).me).toMatchObject({ username: null, nameState: 'none' })
  await ada.engine.account.claimName('lovelace')
  await named(ada, 'reserved')
  expect((await ada.engine.snapshot()).me!.username).toBe('lovelace')
})

test('an account is deleted with what nodes keep for it, its name and all devices, this one last', async () => {
  await named(ada, 'reserved')
  const tablet = await linkedDevice(peers.network, ada)
  try {
    await ada.engine.account.changeProfile({ picture: FIXTURE_JPEG })
    expect(peers.network.objects.at(0).size).toBe(1)
    await expect(commandOn(ada.engine, 'account', 'delete')).rejects.toThrow('needs --yes. The public record keeps')
    expect(await jsonOn(ada.engine, 'account', 'delete', '--yes')).toMatchObject({
      code: 0,
      lines: [{ objects: 1, silentNodes: 0, names: 1, devices: 2 }]
    })
    expect(peers.network.objects.at(0).size).toBe(0)
    peers.network.ledger.mine()
    for (const peer of [ada, tablet]) {
      await eventually(async () => (await peer.engine.snapshot()).me!.deviceState !== 'live', 'the device is removed')
    }
    await eventually(async () => {
      await bob.engine.people.refresh(ada.me.accountId)
      return (await bob.engine.people.find('@ada')) === null
    }, 'nobody has the name')
  } finally {
    await tablet.engine.stop()
  }
})
