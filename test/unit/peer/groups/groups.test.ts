import { afterEach, beforeEach, expect, test } from 'vitest'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { commandOn, jsonOn } from '../../../support/peer/run-peer.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

let network: FakeNetwork
let ada: TestPeer
let bob: TestPeer
let cleo: TestPeer
let dan: TestPeer

beforeEach(async () => {
  network = await FakeNetwork.create(1)
  const named = {
    ada: (ada = new TestPeer(network)),
    bob: (bob = new TestPeer(network)),
    cleo: (cleo = new TestPeer(network)),
    dan: (dan = new TestPeer(network))
  }
  for (const [name, peer] of Object.entries(named)) await peer.register(name)
  // They know each other: nobody is a request.
  for (const one of Object.values(named))
    for (const other of Object.values(named)) if (one !== other) await one.accept(other)
})
afterEach(async () => {
  await Promise.all([ada, bob, cleo, dan].map(peer => peer.engine.stop()))
})

/** Waits for what has to come. */
const until = (what: string, claim: () => Promise<boolean>): Promise<void> => eventually(claim, { what })
const idOf = (peer: TestPeer): string => peer.me.accountId

async function textsIn(peer: TestPeer, group: string): Promise<string[]> {
  const page = await peer.engine.messages.page(group, { limit: 500 })
  return page.filter(({ kind }) => kind !== 'system').map(({ kind, text }) => (kind === 'text' ? text : `(${kind})`))
}

/** By the test's own list: a name is shown once its person has told it. */
const nameOf = ({ accountId }: { accountId: string }): string =>
  [ada, bob, cleo, dan].find(({ me }) => me.accountId === accountId)!.me.displayName!

async function linesIn(peer: TestPeer, group: string): Promise<string[]> {
  const page = await peer.engine.messages.page(group, { limit: 500 })
  return page.flatMap(({ line }) =>
    line?.kind === 'group'
      ? [[line.by, line.what, ...line.who].map(each => (typeof each === 'string' ? each : nameOf(each))).join(' ')]
      : []
  )
}

const membersOf = async (peer: TestPeer, group: string): Promise<string[]> =>
  (await peer.engine.groups.members(group)).map(({ person, role }) => `${nameOf(person)} ${role}`).sort()

const has = (peer: TestPeer, group: string, text: string): Promise<void> =>
  until(`${peer.me.username} has ${text}`, async () => (await textsIn(peer, group)).includes(text))

async function create(...others: TestPeer[]): Promise<string> {
  const { group } = await ada.engine.groups.create('Climbing', others.map(idOf))
  for (const other of others)
    await until('they have the group', async () => (await other.engine.groups.list()).some(({ id }) => id === group.id))
  return group.id
}

test('three people chat in a group, and everybody sees who is in it', async () => {
  const group = await create(bob, cleo)
  await ada.engine.messages.sendText(group, 'hello all')
  await has(bob, group, 'hello all')
  await has(cleo, group, 'hello all')
  await bob.engine.messages.sendText(group, 'hello from bob')
  await has(ada, group, 'hello from bob')
  await has(cleo, group, 'hello from bob')
  for (const peer of [ada, bob, cleo]) {
    expect(await membersOf(peer, group)).toEqual(['ada admin', 'bob member', 'cleo member'])
    expect((await peer.engine.groups.list())[0]).toMatchObject({ name: 'Climbing', members: 3, isRequest: false })
  }
  expect(await linesIn(cleo, group)).toEqual(['ada created bob cleo'])
  await until('cleo knows the names', async () => {
    const shown = (await cleo.engine.groups.members(group)).map(({ person }) => person.displayName)
    return shown.sort().join() === 'ada,bob,cleo'
  })
  const [line] = await ada.engine.messages.page(group)
  await until('the change is delivered', async () => (await ada.engine.messages.page(group))[0]!.state !== 'waiting')
  expect(line).toMatchObject({ kind: 'system', mine: true })
})

test('a person who is added reads what is written from then on; one who is removed reads nothing later', async () => {
  const group = await create(bob, cleo)
  await ada.engine.messages.sendText(group, 'before dan')
  await has(cleo, group, 'before dan')
  await ada.engine.groups.add(group, [idOf(dan)])
  await until('dan is in', async () => (await dan.engine.groups.list()).length === 1)
  await bob.engine.messages.sendText(group, 'welcome')
  await has(dan, group, 'welcome')
  expect(await textsIn(dan, group)).toEqual(['welcome'])
  await ada.engine.groups.remove(group, [idOf(dan)])
  await until('dan knows', async () => (await dan.engine.groups.list())[0]!.role === null)
  await until('bob knows', async () => (await membersOf(bob, group)).length === 3)
  await bob.engine.messages.sendText(group, 'without dan')
  await ada.engine.messages.sendText(group, 'also without dan')
  await has(cleo, group, 'without dan')
  await has(cleo, group, 'also without dan')
  expect(await textsIn(dan, group)).toEqual(['welcome'])
  await expect(dan.engine.messages.sendText(group, 'let me in')).rejects.toMatchObject({ code: 'not-in-group' })
  expect(await linesIn(dan, group)).toEqual(['ada created bob cleo', 'ada added dan', 'ada removed dan'])
})

test('a member leaves, an admin makes another one, and a member may not do what admins do', async () => {
  const group = await create(bob, cleo)
  await expect(bob.engine.groups.remove(group, [idOf(cleo)])).rejects.toMatchObject({ code: 'not-admin' })
  await expect(ada.engine.groups.leave(group)).rejects.toMatchObject({ code: 'last-admin' })
  await ada.engine.groups.setRole(group, idOf(bob), 'admin')
  await until('bob is an admin', async () => (await bob.engine.groups.list())[0]!.role === 'admin')
  await bob.engine.groups.rename(group, 'Bouldering')
  await until('cleo has the name', async () => (await cleo.engine.groups.list())[0]!.name === 'Bouldering')
  await ada.engine.groups.leave(group)
  for (const peer of [bob, cleo]) {
    await until('ada is out', async () => (await membersOf(peer, group)).join() === 'bob admin,cleo member')
  }
  await until('ada is out at home', async () => (await ada.engine.groups.list())[0]!.role === null)
  await bob.engine.messages.sendText(group, 'only us')
  await has(cleo, group, 'only us')
  expect(await textsIn(ada, group)).toEqual([])
})

test('members may edit and add once an admin lets them, and all see the description', async () => {
  const group = await create(bob, cleo)
  await expect(bob.engine.groups.describe(group, 'Thursdays')).rejects.toMatchObject({ code: 'not-admin' })
  await expect(bob.engine.groups.setRights(group, { edit: 'members' })).rejects.toMatchObject({ code: 'not-admin' })
  await ada.engine.groups.setRights(group, { edit: 'members' })
  const bobs = async () => (await bob.engine.groups.list())[0]!
  await until('bob may edit', async () => (await bobs()).rights.edit === 'members')
  expect((await bobs()).rights).toEqual({ add: 'admins', edit: 'members' })
  await bob.engine.groups.describe(group, ' Thursdays at seven ')
  await until('cleo reads it', async () => (await cleo.engine.groups.list())[0]!.description === 'Thursdays at seven')
  await expect(bob.engine.groups.add(group, [idOf(dan)])).rejects.toMatchObject({ code: 'not-admin' })
  await expect(bob.engine.groups.describe(group, 'x'.repeat(501))).rejects.toMatchObject({ code: 'about-too-long' })
})

test('who is mentioned is told how often, until it is read', async () => {
  const group = await create(bob, cleo)
  await ada.engine.messages.sendText(group, 'Has @Bob the rope? mail cleo@bob.example')
  await ada.engine.messages.sendText(group, '@bobby and @cleo have tea')
  await has(bob, group, '@bobby and @cleo have tea')
  await has(cleo, group, '@bobby and @cleo have tea')
  const counted = async (peer: TestPeer) => {
    const { conversations } = await peer.engine.snapshot()
    const { unread, unreadMentions } = conversations.find(({ id }) => id === group)!
    return { unread, unreadMentions }
  }
  expect(await counted(bob)).toEqual({ unread: 2, unreadMentions: 1 })
  expect(await counted(cleo)).toEqual({ unread: 2, unreadMentions: 1 })
  const [first] = (await bob.engine.messages.page(group)).filter(({ kind }) => kind === 'text')
  await bob.engine.conversations.markRead(group, first!.id)
  expect(await counted(bob)).toEqual({ unread: 1, unreadMentions: 0 })
  await cleo.engine.conversations.markRead(group)
  expect(await counted(cleo)).toEqual({ unread: 0, unreadMentions: 0 })
})

test('a group survives a restart, and a stranger who adds one is a request', async () => {
  const eve = new TestPeer(network)
  await eve.register('eve')
  const { group } = await eve.engine.groups.create('Prizes', [idOf(bob)])
  await eve.engine.messages.sendText(group.id, 'you won')
  await has(bob, group.id, 'you won')
  expect(await bob.engine.groups.list()).toMatchObject([{ name: 'Prizes', isRequest: true }])
  await bob.restart()
  expect(await bob.engine.groups.list()).toMatchObject([{ name: 'Prizes', isRequest: true }])
  await bob.engine.groups.answer(group.id, 'accepted')
  await until('eve hears', async () =>
    (await eve.engine.messages.page(group.id)).some(({ text, state }) => text === 'you won' && state === 'delivered')
  )
  await bob.engine.messages.sendText(group.id, 'who are you?')
  await has(eve, group.id, 'who are you?')
  await eve.engine.stop()
})

test('who has the link joins, without knowing any name before', async () => {
  const group = await create(bob)
  const { url: link } = await ada.engine.groups.link(group)
  await dan.engine.groups.join(link)
  await until('dan is in', async () => (await dan.engine.groups.list()).some(({ role }) => role === 'member'))
  await dan.engine.messages.sendText(group, 'hello from the link')
  await has(bob, group, 'hello from the link')
  await expect(dan.engine.groups.join(`${link}x`)).rejects.toMatchObject({ code: 'group-link' })
})

test('who has a link that needs an approval waits for the answer', async () => {
  const group = await create(bob)
  const { url } = await ada.engine.groups.link(group)
  expect(await jsonOn(ada.engine, 'group', 'link', group, '--approve')).toMatchObject({
    code: 0,
    lines: [{ link: url, needsApproval: true }]
  })
  expect(await ada.engine.groups.link(group)).toEqual({ url, needsApproval: true })
  await dan.engine.groups.join(url)
  await cleo.engine.groups.join(url)
  const asked = async () => (await ada.engine.groups.requests(group)).map(({ person }) => nameOf(person)).sort()
  await until('both have asked', async () => (await asked()).join() === 'cleo,dan')
  expect(await membersOf(ada, group)).toEqual(['ada admin', 'bob member'])
  await expect(bob.engine.groups.answerRequest(group, idOf(dan), true)).rejects.toMatchObject({ code: 'not-admin' })
  await ada.restart()
  const lines = (await jsonOn(ada.engine, 'group', 'requests', group)).lines as { accountId: string }[]
  expect(lines.map(({ accountId }) => accountId).sort()).toEqual([idOf(cleo), idOf(dan)].sort())
  expect(await jsonOn(ada.engine, 'group', 'approve', group, idOf(dan))).toMatchObject({
    code: 0,
    lines: [{ members: 3 }]
  })
  expect((await jsonOn(ada.engine, 'group', 'deny', group, idOf(cleo))).code).toBe(0)
  await until('dan is in', async () => (await dan.engine.groups.list()).some(({ role }) => role === 'member'))
  expect(await asked()).toEqual([])
  expect(await membersOf(ada, group)).toEqual(['ada admin', 'bob member', 'dan member'])
  // Who was taken out still has the link.
  await ada.engine.groups.link(group, { needsApproval: false })
  await ada.engine.groups.remove(group, [idOf(dan)])
  await until('dan is out', async () => (await dan.engine.groups.list())[0]!.role === null)
  await dan.engine.groups.join(url)
  await until('dan has asked again', async () => (await asked()).join() === 'dan')
  expect(await membersOf(ada, group)).toEqual(['ada admin', 'bob member'])
  expect((await ada.engine.groups.link(group, { isNew: true })).url).not.toBe(url)
  await expect(ada.engine.groups.answerRequest(group, idOf(cleo), true)).rejects.toMatchObject({ code: 'no-request' })
})

test('a member who was away for many changes is told that they are out, and the command says so', async () => {
  const group = await create(bob, dan)
  await dan.engine.stop()
  for (let i = 0; i < 10; i++) await ada.engine.groups.rename(group, `Climbing ${i}`)
  await ada.engine.groups.remove(group, [idOf(dan)])
  await until('bob knows', async () => (await membersOf(bob, group)).length === 2)
  await dan.restart()
  await until('dan knows', async () => (await dan.engine.groups.list())[0]!.role === null)
  const refused = await commandOn(dan.engine, 'send', `group:${group}`, 'still here?')
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain('not in the group')
  expect((await dan.engine.groups.list())[0]).toMatchObject({ role: null, name: 'Climbing 9' })
})

test('a group is muted on all own devices', async () => {
  const group = await create(bob)
  const tablet = await linkedDevice(network, ada)
  try {
    const isMutedAt = async (peer: TestPeer) =>
      (await peer.engine.groups.list()).find(({ id }) => id === group)?.isMuted
    await until('the tablet has the group', async () => (await isMutedAt(tablet)) === false)
    expect(await jsonOn(ada.engine, 'group', 'mute', group)).toMatchObject({ code: 0, lines: [{ muted: true }] })
    await until('the tablet follows', async () => (await isMutedAt(tablet)) === true)
    await tablet.engine.groups.mute(group, false)
    await until('and the other way round', async () => (await isMutedAt(ada)) === false)
    expect(await isMutedAt(bob)).toBe(false)
  } finally {
    await tablet.engine.stop()
  }
})
