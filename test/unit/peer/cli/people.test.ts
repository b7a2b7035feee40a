import { afterEach, beforeEach, describe, expect, test } from 'vitest'
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
})
afterEach(() => peers.stop())

const marksOfBob = async () => (await ada.engine.people.find(bob.me.accountId))!.marks

/** Ada writes to Bob, who has not heard of her. */
async function introduce(): Promise<void> {
  await ada.send(bob, 'do you know me?', { isStranger: true })
  await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
}

describe('person', () => {
  test('prints what is known: names, record, marks', async () => {
    const { code, lines } = await jsonOn(ada.engine, 'person', bob.me.accountId)
    expect(code).toBe(0)
    expect(lines).toEqual([
      expect.objectContaining({
        accountId: bob.me.accountId,
        isMe: false,
        verifiedAt: null,
        record: expect.objectContaining({ state: 'pending' }),
        marks: expect.objectContaining({ contact: false, blocked: false, answer: null })
      })
    ])
  })

  test('fails with a sentence for a name that nobody has', async () => {
    const { code, stdout, stderr } = await commandOn(ada.engine, 'person', '@nobody_here', '--json')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe('volo-peer: nobody is found as @nobody_here\n')
  })
})

describe('contacts', () => {
  test('are added with a nickname, muted, listed, and removed', async () => {
    const person = bob.me.accountId
    const added = await jsonOn(ada.engine, 'contacts', 'add', person, '--nickname', 'Bobby', '--mute')
    const marks = { contact: true, nickname: 'Bobby', muted: true, answer: 'accepted' }
    expect(added).toMatchObject({ code: 0, lines: [{ accountId: person, marks }] })
    expect(await jsonOn(ada.engine, 'contacts')).toMatchObject({ code: 0, lines: [{ accountId: person, marks }] })
    // What is not named stays as it is.
    await commandOn(ada.engine, 'contacts', 'add', person, '--no-mute')
    expect(await marksOfBob()).toMatchObject({ nickname: 'Bobby', muted: false })
    await commandOn(ada.engine, 'contacts', 'add', person, '--nickname', '')
    expect(await marksOfBob()).toMatchObject({ contact: true, nickname: null })
    const removed = await commandOn(ada.engine, 'contacts', 'remove', person)
    expect(removed).toMatchObject({ code: 0, stderr: '' })
    expect(await jsonOn(ada.engine, 'contacts')).toEqual({ code: 0, lines: [] })
  })

  test('cannot have a nickname past the limit', async () => {
    const { code, stderr } = await commandOn(
      ada.engine,
      'contacts',
      'add',
      bob.me.accountId,
      '--nickname',
      'x'.repeat(65)
    )
    expect(code).toBe(1)
    expect(stderr).toContain('64')
    expect((await marksOfBob()).contact).toBe(false)
  })

  test('are never oneself', async () => {
    expect((await commandOn(ada.engine, 'contacts', 'add', ada.me.accountId)).code).toBe(1)
  })
})

describe('block and unblock', () => {
  test('set the mark and take it back; a blocked person cannot be written to', async () => {
    const person = bob.me.accountId
    expect(await jsonOn(ada.engine, 'block', person)).toMatchObject({ code: 0, lines: [{ marks: { blocked: true } }] })
    const refused = await commandOn(ada.engine, 'send', person, 'hello')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/block/)
    const unblocked = await jsonOn(ada.engine, 'unblock', person)
    expect(unblocked).toMatchObject({ code: 0, lines: [{ marks: { blocked: false } }] })
    expect((await commandOn(ada.engine, 'send', person, 'hello')).code).toBe(0)
  })
})

describe('requests', () => {
  test('shows who wrote and what; accepting empties the list and tells the sender', async () => {
    await introduce()
    const [request] = (await jsonOn(bob.engine, 'requests')).lines
    expect(request).toMatchObject({
      accountId: ada.me.accountId,
      unread: 1,
      lastMessage: { text: 'do you know me?' }
    })
    const accepted = await jsonOn(bob.engine, 'requests', 'accept', ada.me.accountId)
    expect(accepted).toMatchObject({ code: 0, lines: [{ marks: { answer: 'accepted' } }] })
    expect(await jsonOn(bob.engine, 'requests')).toEqual({ code: 0, lines: [] })
    await eventually(async () => (await ada.messages(bob))[0]!.state === 'delivered', 'delivered')
  })

  test('ignore takes the person off the list, block drops what they write from then on', async () => {
    await introduce()
    const ignored = await jsonOn(bob.engine, 'requests', 'ignore', ada.me.accountId)
    expect(ignored).toMatchObject({ code: 0, lines: [{ marks: { answer: 'ignored', blocked: false } }] })
    expect((await jsonOn(bob.engine, 'requests')).lines).toEqual([])
    const blocked = await jsonOn(bob.engine, 'requests', 'block', ada.me.accountId)
    expect(blocked).toMatchObject({ code: 0, lines: [{ marks: { blocked: true } }] })
    // Accepting is the way back from both.
    await commandOn(bob.engine, 'requests', 'accept', ada.me.accountId)
    const { answer, blocked: isBlocked } = (await bob.engine.people.find(ada.me.accountId))!.marks
    expect({ answer, isBlocked }).toEqual({ answer: 'accepted', isBlocked: false })
  })

  test('listen marks what a stranger wrote, until the stranger is accepted', async () => {
    await introduce()
    const [first] = (await jsonOn(bob.engine, 'listen', '--count', '1', '--timeout', '60')).lines
    expect(first).toMatchObject({ text: 'do you know me?', request: true })
    await commandOn(bob.engine, 'requests', 'accept', ada.me.accountId)
    const shown = await jsonOn(bob.engine, 'messages', ada.me.accountId)
    expect(shown.lines).toMatchObject([{ text: 'do you know me?', request: false }])
  })
})
