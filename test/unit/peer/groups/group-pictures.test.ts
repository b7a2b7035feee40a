import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cleanPicture } from '../../../../protocol/files/profile-picture.ts'
import { FIXTURE_JPEG, FIXTURE_PICTURE } from '../../../support/fixture-picture.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { commandOn, jsonOn } from '../../../support/peer/run-peer.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const CLEAN_JPEG = cleanPicture(FIXTURE_JPEG).content
const CLEAN_PNG = cleanPicture(FIXTURE_PICTURE).content

let network: FakeNetwork
let ada: TestPeer
let bob: TestPeer
let cleo: TestPeer

beforeEach(async () => {
  network = await FakeNetwork.create(1)
  const named = {
    ada: (ada = new TestPeer(network)),
    bob: (bob = new TestPeer(network)),
    cleo: (cleo = new TestPeer(network))
  }
  for (const [name, peer] of Object.entries(named)) await peer.register(name)
  for (const one of [ada, bob, cleo]) for (const other of [ada, bob, cleo]) if (one !== other) await one.accept(other)
})
afterEach(async () => {
  await Promise.all([ada, bob, cleo].map(peer => peer.engine.stop()))
})

const idOf = (peer: TestPeer): string => peer.me.accountId
const groupAt = async (peer: TestPeer, id: string) => (await peer.engine.groups.list()).find(group => group.id === id)
const pictureAt = async (peer: TestPeer, id: string): Promise<string | null> =>
  (await groupAt(peer, id))?.picture ?? null
const until = (what: string, claim: () => Promise<boolean>): Promise<void> => eventually(claim, { what })

async function created(...others: TestPeer[]): Promise<string> {
  const { group } = await ada.engine.groups.create('Climbing', others.map(idOf), {
    description: 'Thursdays',
    picture: FIXTURE_JPEG
  })
  for (const other of others)
    await until('they have the group', async () => (await groupAt(other, group.id)) !== undefined)
  return group.id
}

test('a group begins with a picture, which members see without what is written beside it; nodes see a file like any other', async () => {
  const group = await created(bob)
  expect(await groupAt(bob, group)).toMatchObject({ description: 'Thursdays', picture: await pictureAt(ada, group) })
  expect(await bob.engine.groups.picture(group)).toEqual({ type: 'image/jpeg', content: CLEAN_JPEG })
  expect(network.objects.purposes()).toEqual(['file'])
  const [stored] = [...network.objects.at(0).values()]
  expect(Buffer.from(stored!).includes(Buffer.from(CLEAN_JPEG.subarray(0, 64)))).toBe(false)
  // One line tells of name, description and picture.
  const lines = (await bob.engine.messages.page(group)).flatMap(({ line }) => (line?.kind === 'group' ? line.what : []))
  expect(lines).toEqual(['created'])
  // It stays without a connection.
  await bob.restart()
  network.down.add(0)
  expect((await bob.engine.groups.picture(group))!.content).toEqual(CLEAN_JPEG)
})

test('who is removed learns no later picture, who is added sees the one of now, and the one before is gone from nodes', async () => {
  const group = await created(bob)
  const first = await pictureAt(bob, group)
  await ada.engine.groups.remove(group, [idOf(bob)])
  await until('bob knows', async () => (await groupAt(bob, group))!.role === null)
  const { group: changed } = await ada.engine.groups.setPicture(group, FIXTURE_PICTURE)
  await ada.engine.groups.add(group, [idOf(cleo)])
  await until('cleo has it', async () => (await pictureAt(cleo, group)) === changed.picture)
  expect(await cleo.engine.groups.picture(group)).toEqual({ type: 'image/png', content: CLEAN_PNG })
  expect(await pictureAt(bob, group)).toBe(first)
  expect([...network.objects.at(0).keys()]).toEqual([changed.picture])
  await ada.engine.groups.setPicture(group, null)
  await until('cleo sees none', async () => (await pictureAt(cleo, group)) === null)
  expect(await cleo.engine.groups.picture(group)).toBeNull()
  expect(network.objects.at(0).size).toBe(0)
})

test('a member who may not change it hands nothing to nodes; what is no picture changes nothing; bytes that a node changed are not shown', async () => {
  const group = await created(bob)
  const before = [...network.objects.at(0).keys()]
  await expect(bob.engine.groups.setPicture(group, FIXTURE_PICTURE)).rejects.toMatchObject({ code: 'not-admin' })
  const page = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>')
  await expect(ada.engine.groups.setPicture(group, page)).rejects.toMatchObject({ code: 'picture' })
  expect([...network.objects.at(0).keys()]).toEqual(before)
  const stored = network.objects.at(0)
  const [name] = before
  stored.set(
    name!,
    stored.get(name!)!.map((byte, at) => (at === 100 ? byte ^ 1 : byte))
  )
  await expect(bob.engine.groups.picture(group)).rejects.toMatchObject({ code: 'file-damaged' })
})

test('of two pictures that are chosen at once one counts on all devices, and a node that lost it gets it again', async () => {
  const group = await created(bob, cleo)
  await ada.engine.groups.setRole(group, idOf(bob), 'admin')
  const isBobAdmin = async () => (await groupAt(bob, group))!.role === 'admin'
  await until('bob is an admin', isBobAdmin)
  await Promise.all([
    ada.engine.groups.setPicture(group, FIXTURE_PICTURE),
    bob.engine.groups.setPicture(group, FIXTURE_JPEG)
  ])
  const all = async () => Promise.all([ada, bob, cleo].map(peer => pictureAt(peer, group)))
  await until('all show the same', async () => new Set(await all()).size === 1)
  const [picture] = await all()
  network.objects.lose(0)
  for (const peer of [ada, bob]) {
    peer.slept += 25 * 60 * 60 * 1000
    await peer.engine.network.reconnect()
  }
  await until('the node has it again', async () => network.objects.at(0).has(picture!))
})

test('on the command line: at the beginning, later, saved and taken away', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'volo-group-picture-'))
  try {
    const [file, saved] = [join(folder, 'club.jpg'), join(folder, 'saved.jpg')]
    await writeFile(file, FIXTURE_JPEG)
    const about = ['--description', 'Thursdays', '--picture', file]
    const made = await jsonOn(ada.engine, 'group', 'create', 'Climbing', idOf(bob), ...about)
    const [{ conversation, picture }] = made.lines as [{ conversation: string; picture: string }]
    expect(made).toMatchObject({ code: 0, lines: [{ description: 'Thursdays' }] })
    expect(picture).toMatch(/^[0-9a-f]{64}$/)
    await until('bob has it', async () => (await bob.engine.groups.list()).length === 1)
    expect((await commandOn(bob.engine, 'group', 'picture', conversation, '--save', saved)).code).toBe(0)
    expect(new Uint8Array(await readFile(saved))).toEqual(CLEAN_JPEG)
    expect(await commandOn(bob.engine, 'group', 'picture', conversation, file)).toMatchObject({ code: 1 })
    const removed = await jsonOn(ada.engine, 'group', 'picture', conversation, '--remove')
    expect(removed).toMatchObject({ code: 0, lines: [{ picture: null }] })
    await until('bob sees none', async () => (await bob.engine.groups.list())[0]!.picture === null)
    const none = await commandOn(bob.engine, 'group', 'picture', conversation, '--save', `${saved}.2`)
    expect(none).toMatchObject({ code: 1 })
    expect(none.stderr).toContain('the group has no picture')
  } finally {
    await rm(folder, { recursive: true })
  }
})
