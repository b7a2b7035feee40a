import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cleanPicture } from '../../../../protocol/files/profile-picture.ts'
import { FIXTURE_JPEG, FIXTURE_PICTURE } from '../../../support/fixture-picture.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { commandOn, jsonOn } from '../../../support/peer/run-peer.ts'
import type { TestPeer } from '../../../support/peer/test-peer.ts'
import { twoPeers, type TwoPeers } from '../../../support/peer/two-peers.ts'
import { eventually } from '../../../support/wait-for.ts'

let peers: TwoPeers
let ada: TestPeer
let bob: TestPeer
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'volo-picture-'))
  peers = await twoPeers()
  ;({ ada, bob } = peers)
  await ada.send(bob, 'hello')
  await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
})
afterEach(async () => {
  await peers.stop()
  await rm(folder, { recursive: true })
})

const nameAt = async (peer: TestPeer): Promise<string | null> =>
  (await peer.engine.people.find(ada.me.accountId))!.picture
const shownAt = (peer: TestPeer) => peer.engine.people.picture(ada.me.accountId)
const CLEAN_JPEG = cleanPicture(FIXTURE_JPEG).content

test('a picture reaches those who have the profile, without what is written beside it, and stays without a connection', async () => {
  expect(await shownAt(bob)).toBeNull()
  const me = await ada.engine.account.changeProfile({ picture: FIXTURE_JPEG })
  expect(me.picture).toMatch(/^[0-9a-f]{64}$/)
  await eventually(async () => (await nameAt(bob)) === me.picture, 'Bob hears of it')
  expect(await shownAt(bob)).toEqual({ type: 'image/jpeg', content: CLEAN_JPEG })
  await bob.restart()
  peers.network.down.add(0)
  expect(await shownAt(bob)).toEqual({ type: 'image/jpeg', content: CLEAN_JPEG })
  expect(await shownAt(ada)).toEqual({ type: 'image/jpeg', content: CLEAN_JPEG })
})

test('nodes keep it under its own purpose, encrypted, until another takes its place', async () => {
  await ada.engine.account.changeProfile({ picture: FIXTURE_JPEG })
  const stored = peers.network.objects.at(0)
  expect(stored.size).toBe(1)
  const [[first, bytes]] = [...stored] as [[string, Uint8Array]]
  expect(Buffer.from(bytes).includes(Buffer.from(CLEAN_JPEG.subarray(0, 64)))).toBe(false)
  expect(peers.network.objects.purposes()).toEqual(['profile'])
  const me = await ada.engine.account.changeProfile({ picture: FIXTURE_PICTURE })
  expect([...stored.keys()]).toEqual([me.picture])
  expect(me.picture).not.toBe(first)
  await eventually(async () => (await nameAt(bob)) === me.picture, 'Bob hears of the second')
  expect((await shownAt(bob))!.type).toBe('image/png')
  await ada.engine.account.changeProfile({ picture: null })
  expect(stored.size).toBe(0)
  await eventually(async () => (await nameAt(bob)) === null, 'Bob hears that there is none')
  expect(await shownAt(bob)).toBeNull()
})

test('own devices agree on it, and a name or a description that is changed elsewhere leaves it', async () => {
  const tablet = await linkedDevice(peers.network, ada)
  try {
    const { picture } = await ada.engine.account.changeProfile({ picture: FIXTURE_JPEG })
    await eventually(async () => (await tablet.engine.snapshot()).me!.picture === picture, 'the tablet has it')
    expect(await shownAt(tablet)).toEqual({ type: 'image/jpeg', content: CLEAN_JPEG })
    await tablet.engine.account.changeProfile({ about: 'Poetical science' })
    await eventually(async () => (await ada.engine.snapshot()).me!.about !== '', 'the first device follows')
    expect((await ada.engine.snapshot()).me!.picture).toBe(picture)
    await tablet.send(bob, 'hello')
    await eventually(async () => (await nameAt(bob)) === picture, 'Bob has it')
  } finally {
    await tablet.engine.stop()
  }
})

test('a node that lost it gets it again, from any own device', async () => {
  const { picture } = await ada.engine.account.changeProfile({ picture: FIXTURE_JPEG })
  peers.network.objects.lose(0)
  ada.slept += 25 * 60 * 60 * 1000
  await ada.engine.network.reconnect()
  await eventually(() => peers.network.objects.at(0).has(picture!), 'the node has it again')
})

test('what is no picture, and one that no node takes, change nothing', async () => {
  const page = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>')
  const change = { displayName: 'Ada L.', picture: page }
  await expect(ada.engine.account.changeProfile(change)).rejects.toMatchObject({
    code: 'picture',
    facts: { fault: 'unfit' }
  })
  const large = new Uint8Array(300_000)
  await expect(ada.engine.account.changeProfile({ picture: large })).rejects.toMatchObject({
    facts: { fault: 'too-large' }
  })
  peers.network.down.add(0)
  await expect(
    ada.engine.account.changeProfile({ displayName: 'Ada L.', picture: FIXTURE_JPEG })
  ).rejects.toMatchObject({
    code: 'offline'
  })
  expect((await ada.engine.snapshot()).me).toMatchObject({ displayName: 'ada', picture: null })
})

test('a picture whose bytes a node changed is not shown', async () => {
  const { picture } = await ada.engine.account.changeProfile({ picture: FIXTURE_JPEG })
  await eventually(async () => (await nameAt(bob)) === picture, 'Bob hears of it')
  const stored = peers.network.objects.at(0)
  stored.set(
    picture!,
    stored.get(picture!)!.map((byte, at) => (at === 100 ? byte ^ 1 : byte))
  )
  await expect(shownAt(bob)).rejects.toMatchObject({ code: 'file-damaged' })
  stored.delete(picture!)
  await expect(shownAt(bob)).rejects.toMatchObject({ code: 'file-gone' })
})

test('the commands set it, tell it and save it; a file that is there is never written over', async () => {
  const file = join(folder, 'ada.jpg')
  await writeFile(file, FIXTURE_JPEG)
  const set = await jsonOn(ada.engine, 'profile', 'set', '--picture', file)
  expect(set).toMatchObject({
    code: 0,
    lines: [{ displayName: 'ada', picture: expect.stringMatching(/^[0-9a-f]{64}$/) }]
  })
  const { picture } = set.lines[0] as { picture: string }
  await eventually(async () => (await nameAt(bob)) === picture, 'Bob hears of it')
  const out = join(folder, 'saved.jpg')
  const person = await jsonOn(bob.engine, 'person', ada.me.accountId, '--picture', out)
  expect(person).toMatchObject({ code: 0, lines: [{ profile: { picture } }] })
  expect(new Uint8Array(await readFile(out))).toEqual(CLEAN_JPEG)
  expect((await commandOn(bob.engine, 'person', ada.me.accountId, '--picture', out)).code).toBe(1)
  await writeFile(file, 'no picture')
  const refused = await commandOn(ada.engine, 'profile', 'set', '--picture', file)
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('JPEG, PNG or WebP') })
  expect(await jsonOn(ada.engine, 'profile', 'set', '--no-picture')).toMatchObject({ lines: [{ picture: null }] })
  const none = await commandOn(ada.engine, 'person', ada.me.accountId, '--picture', join(folder, 'none'))
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('has no picture') })
})
