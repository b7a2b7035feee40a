import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { commandOn, jsonOn } from '../../../support/peer/run-peer.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { twoPeers, type TwoPeers } from '../../../support/peer/two-peers.ts'
import { eventually } from '../../../support/wait-for.ts'

let peers: TwoPeers
let ada: TestPeer
let bob: TestPeer

beforeEach(async () => {
  peers = await twoPeers()
  ;({ ada, bob } = peers)
})
afterEach(() => peers.stop())

const contactsOf = async (peer: TestPeer): Promise<string[]> =>
  (await peer.engine.people.contacts()).map(({ accountId }) => accountId)

async function carolArrives(): Promise<TestPeer> {
  const carol = new TestPeer(peers.network)
  await carol.register('carol')
  return carol
}

describe('an invitation', () => {
  test('makes both people contacts of each other, with a conversation open; neither is a request', async () => {
    const { url, id, uses } = await ada.engine.invites.create()
    expect(uses).toBe(1)
    const opened = await bob.engine.invites.accept(url)
    expect(opened.person.accountId).toBe(ada.me.accountId)
    expect(await contactsOf(bob)).toEqual([ada.me.accountId])
    await eventually(async () => (await contactsOf(ada)).length === 1, 'Ada has heard of it')
    expect(await contactsOf(ada)).toEqual([bob.me.accountId])
    expect((await ada.engine.snapshot()).conversations.map(each => each.person.accountId)).toEqual([bob.me.accountId])
    expect((await ada.engine.invites.list())[0]).toMatchObject({ id, accepted: [bob.me.accountId] })
    const { id: conversation } = opened
    await bob.engine.messages.sendText(conversation, 'here I am')
    await eventually(async () => (await ada.received(bob)).includes('here I am'), 'Ada has it')
    expect((await jsonOn(ada.engine, 'requests')).lines).toEqual([])
    await eventually(async () => (await bob.messages(ada)).at(-1)!.state === 'delivered', 'Bob hears that it arrived')
  })

  test('is good for as many people as its maker said, and for each of them once', async () => {
    const { url } = await ada.engine.invites.create({ uses: 1 })
    await bob.engine.invites.accept(url)
    // The same person again: the answer may have been lost.
    await bob.engine.invites.accept(url)
    const carol = await carolArrives()
    await expect(carol.engine.invites.accept(url)).rejects.toMatchObject({ code: 'invite-over' })
    expect(await contactsOf(carol)).toEqual([])
    await carol.engine.stop()
  })

  test('counts once where the answer of the node is lost, and where the process ends', async () => {
    const { url } = await ada.engine.invites.create()
    await bob.engine.invites.look(url)
    peers.network.invites.fateOfAnswer = 'lost'
    await expect(bob.engine.invites.accept(url)).rejects.toMatchObject({ code: 'offline' })
    expect(await contactsOf(bob)).toEqual([])
    await bob.crash()
    await bob.engine.online(5_000)
    await bob.engine.invites.accept(url)
    await eventually(async () => (await contactsOf(ada)).length === 1, 'Ada has heard of it')
  })

  test('can be taken back: nobody can use it any more', async () => {
    const { url, id } = await ada.engine.invites.create({ uses: 5 })
    expect(await bob.engine.invites.look(url)).toMatchObject({ state: 'open' })
    await ada.engine.invites.revoke(id)
    expect(await ada.engine.invites.list()).toEqual([])
    expect(await bob.engine.invites.look(url)).toMatchObject({ state: 'over' })
    await expect(bob.engine.invites.accept(url)).rejects.toMatchObject({ code: 'invite-over' })
    await expect(ada.engine.invites.revoke(id)).rejects.toMatchObject({ code: 'invite-unknown' })
  })

  test('ends with its time', async () => {
    const { url } = await ada.engine.invites.create({ lifeMs: 60_000 })
    peers.network.invites.clockOffset = 61_000
    await expect(bob.engine.invites.accept(url)).rejects.toMatchObject({ code: 'invite-over' })
  })

  test('can be looked at before there is an account, and is not used by that', async () => {
    const { url } = await ada.engine.invites.create()
    const stranger = new TestPeer(peers.network)
    await stranger.start()
    for (let i = 0; i < 3; i++) {
      expect(await stranger.engine.invites.look(url)).toMatchObject({
        accountId: ada.me.accountId,
        displayName: 'ada',
        state: 'open'
      })
    }
    await expect(stranger.engine.invites.accept(url)).rejects.toMatchObject({ code: 'not-registered' })
    await stranger.engine.stop()
    await bob.engine.invites.accept(url)
  })

  test('is of no use to its maker, and a changed one to nobody', async () => {
    const { url } = await ada.engine.invites.create()
    await expect(ada.engine.invites.accept(url)).rejects.toMatchObject({ code: 'own-account' })
    await expect(bob.engine.invites.accept(url.slice(0, -5))).rejects.toMatchObject({ code: 'invite-malformed' })
    await expect(bob.engine.invites.accept('hello')).rejects.toMatchObject({ code: 'invite-malformed' })
  })

  test('is known to the other own devices: each of them knows who comes by it', async () => {
    const tablet = await linkedDevice(peers.network, ada)
    try {
      const { url, id } = await ada.engine.invites.create()
      await eventually(async () => (await tablet.engine.invites.list()).length === 1, 'the tablet knows it')
      await bob.engine.invites.accept(url)
      for (const device of [ada, tablet]) {
        await eventually(async () => (await contactsOf(device)).length === 1, 'a contact on each device')
      }
      await tablet.engine.invites.revoke(id)
      await eventually(async () => (await ada.engine.invites.list()).length === 0, 'gone on both')
    } finally {
      await tablet.engine.stop()
    }
  })

  test('does not lift a block', async () => {
    const { url } = await ada.engine.invites.create()
    await ada.engine.people.mark(bob.me.accountId, { blocked: true })
    await bob.engine.invites.accept(url)
    await eventually(() => peers.network.waitingFor(ada.me.deviceId) === 0, 'Ada has taken it from the network')
    expect(await contactsOf(ada)).toEqual([])
  })

  test('leaves nothing at the node but hashes: no token, and nobody who came', async () => {
    const { url } = await ada.engine.invites.create()
    await bob.engine.invites.accept(url)
    const kept: string[] = []
    for await (const entry of peers.network.invites.store.iterator({ gte: '', lt: '~' })) kept.push(entry.join(' '))
    expect(kept.length).toBeGreaterThan(0)
    const token = Buffer.from(url.split('#/i/')[1]!, 'base64url').subarray(11, 43)
    expect(kept.join('\n')).not.toContain(token.toString('hex'))
    expect(kept.join('\n')).not.toContain(bob.me.accountId)
  })
})

describe('the commands', () => {
  test('make, list, accept and take back links', async () => {
    const [made] = (await jsonOn(ada.engine, 'invite', 'link', '--uses', '2', '--expires', '12h')).lines as {
      id: string
      url: string
      createdAt: number
      expiresAt: number
    }[]
    expect(made!.expiresAt - made!.createdAt).toBe(12 * 60 * 60 * 1000)
    expect((await jsonOn(ada.engine, 'invite', 'list')).lines).toMatchObject([{ id: made!.id, uses: 2, accepted: [] }])
    const accepted = await jsonOn(bob.engine, 'invite', 'accept', made!.url)
    expect(accepted).toMatchObject({ code: 0, lines: [{ accountId: ada.me.accountId, marks: { contact: true } }] })
    expect((await jsonOn(bob.engine, 'contacts')).lines).toHaveLength(1)
    const revoked = await jsonOn(ada.engine, 'invite', 'revoke', made!.id.slice(0, 8))
    expect(revoked).toMatchObject({ code: 0, lines: [{ id: made!.id, revoked: true }] })
    const again = await commandOn(ada.engine, 'invite', 'revoke', made!.id)
    expect(again).toMatchObject({ code: 1, stdout: '' })
  })

  test('say that there are links only where the node sends no mail', async () => {
    const { code, stderr } = await commandOn(ada.engine, 'invite', 'mail', 'bob@example.com')
    expect(code).toBe(1)
    expect(stderr).toContain('this node sends no mail; run: volo-peer invite link')
    expect(await ada.engine.invites.canMail()).toBe(false)
    expect(await ada.engine.invites.list()).toEqual([])
  })
})
