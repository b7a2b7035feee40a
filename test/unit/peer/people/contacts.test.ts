import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decodeEnvelope } from '../../../../protocol/wire/envelope.ts'
import type { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import type { TestPeer } from '../../../support/peer/test-peer.ts'
import { twoPeers, type TwoPeers } from '../../../support/peer/two-peers.ts'
import { eventually } from '../../../support/wait-for.ts'

let peers: TwoPeers
let network: FakeNetwork
let ada: TestPeer
let bob: TestPeer

beforeEach(async () => {
  peers = await twoPeers()
  ;({ network, ada, bob } = peers)
})
afterEach(() => peers.stop())

const tokenOf = (mailbox: number) => [...network.tokens.values()][mailbox]!

/** Both have written: each is accepted by the other and has the other's token. */
async function acquaint(): Promise<void> {
  await ada.send(bob, 'hello')
  await eventually(async () => (await bob.received(ada)).includes('hello'), 'Bob has it')
  await bob.send(ada, 'hello back')
  await eventually(async () => (await ada.received(bob)).includes('hello back'), 'Ada has it')
  await eventually(async () => (await ada.messages(bob))[0]!.state === 'delivered', 'all is told')
}

describe('contacts', () => {
  test('are those that were added, by the name that the user gave them, also after a restart', async () => {
    await ada.engine.people.find(bob.me.accountId)
    expect(await ada.engine.people.contacts()).toEqual([])
    await ada.engine.people.mark(bob.me.accountId, { contact: true, nickname: '  Bobby ' })
    await ada.restart()
    const [contact] = await ada.engine.people.contacts()
    expect(contact).toMatchObject({
      accountId: bob.me.accountId,
      marks: { contact: true, nickname: 'Bobby', blocked: false }
    })
    expect((await ada.engine.conversations.open(bob.me.accountId)).title).toBe('Bobby')
    await ada.engine.people.mark(bob.me.accountId, { contact: false, nickname: ' ' })
    expect(await ada.engine.people.contacts()).toEqual([])
    expect((await ada.engine.people.find(bob.me.accountId))!.marks.nickname).toBeNull()
  })

  test('a nickname has a limit, and nobody is a contact of themselves', async () => {
    const tooLong = ada.engine.people.mark(bob.me.accountId, { nickname: 'x'.repeat(65) })
    await expect(tooLong).rejects.toMatchObject({ code: 'nickname-too-long', facts: { length: 65, limit: 64 } })
    const oneself = ada.engine.people.mark(ada.me.accountId, { contact: true })
    await expect(oneself).rejects.toMatchObject({ code: 'own-account' })
  })
})

describe('a blocked person', () => {
  test('sends into nothing: no message, no line, no unread count, no answer of any kind', async () => {
    await acquaint()
    await bob.engine.people.mark(ada.me.accountId, { blocked: true })
    const shown = await bob.messages(ada)
    network.submitted.splice(0)
    await ada.send(bob, 'are you there?')
    await eventually(async () => (await ada.messages(bob)).at(-1)!.state === 'sent', 'the network keeps it')
    await eventually(async () => network.waitingFor(bob.me.deviceId) === 0, 'Bob has taken it from the network')
    // A restart says everything that is due.
    await bob.restart()
    await bob.engine.online(5_000)
    expect(await bob.messages(ada)).toEqual(shown)
    expect((await bob.engine.snapshot()).conversations.map(({ unread }) => unread)).not.toContain(2)
    expect((await bob.engine.snapshot()).conversations[0]!.lastMessage!.text).toBe('hello back')
    const toAda = network.submitted.map(decodeEnvelope).filter(({ recipients }) => {
      return recipients.some(({ mailbox }) => Buffer.from(mailbox).toString('hex') === ada.me.deviceId)
    })
    expect(toAda).toEqual([])
    expect((await ada.messages(bob)).at(-1)!.state).toBe('sent')
    // What came meanwhile stays away; what comes after the block was taken back is there.
    await bob.engine.people.mark(ada.me.accountId, { blocked: false })
    await ada.send(bob, 'and now?')
    await eventually(async () => (await bob.received(ada)).includes('and now?'), 'Bob has it')
    expect(await bob.received(ada)).toEqual(['hello', 'and now?'])
    await eventually(async () => (await ada.messages(bob)).at(-1)!.state === 'delivered', 'delivered')
    expect((await ada.messages(bob)).find(({ text }) => text === 'are you there?')!.state).toBe('sent')
  })

  test('who is new leaves no conversation behind', async () => {
    await bob.engine.people.mark(ada.me.accountId, { blocked: true })
    await ada.send(bob, 'hello')
    await eventually(async () => (await ada.messages(bob)).at(-1)!.state === 'sent', 'the network keeps it')
    await eventually(async () => network.waitingFor(bob.me.deviceId) === 0, 'Bob has taken it from the network')
    expect((await bob.engine.snapshot()).conversations).toEqual([])
  })

  test('loses the delivery token: our mailbox gets another one at once', async () => {
    await acquaint()
    const before = tokenOf(1)
    await bob.engine.people.mark(ada.me.accountId, { blocked: true })
    await eventually(() => tokenOf(1).revision > before.revision, 'another token is handed in')
    expect(tokenOf(1).token).not.toEqual(before.token)
  })

  test('cannot be written to until the block is taken back', async () => {
    await ada.engine.people.find(bob.me.accountId)
    await ada.engine.people.mark(bob.me.accountId, { blocked: true })
    await expect(ada.send(bob, 'hello')).rejects.toMatchObject({ code: 'blocked' })
    await ada.engine.people.mark(bob.me.accountId, { blocked: false })
    await ada.send(bob, 'hello')
    await eventually(async () => (await bob.received(ada)).includes('hello'), 'Bob has it')
  })
})
