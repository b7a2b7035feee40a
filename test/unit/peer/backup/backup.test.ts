/** Backups of real engines at nodes in memory: what is kept, what comes back, and everything that a storage can do to it. */
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { decodeBackupHead, encodeBackupHead, type BackupHead } from '../../../../protocol/backup/backup-head.ts'
import type { PeerError } from '../../../../peer/errors.ts'
import type { BackupWork, ChatMessage } from '../../../../peer/peer-api.ts'
import { failure } from '../../../support/network/fake/fake-objects.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { secondDevice } from '../../../support/peer/second-device.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const running: TestPeer[] = []
afterEach(async () => {
  for (const peer of running.splice(0)) await peer.engine.stop()
})

const PASSPHRASE = 'correct horse battery'

/** Ada and Bob, whose names are on the record, with a few messages and a file. */
async function world(nodes = 1): Promise<{ network: FakeNetwork; ada: TestPeer; bob: TestPeer }> {
  const network = await FakeNetwork.create(nodes)
  const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
  running.push(ada, bob)
  for (const [peer, name] of [
    [ada, 'ada'],
    [bob, 'bob']
  ] as const) {
    await peer.register(name)
    network.ledger.mine(4)
    await eventually(async () => {
      network.ledger.mine()
      await peer.engine.account.refresh(5_000)
      return (await peer.engine.snapshot()).me!.nameState !== 'reserving'
    }, 'the name is on the record')
  }
  return { network, ada, bob }
}

async function talk(ada: TestPeer, bob: TestPeer, texts: string[]): Promise<void> {
  for (const text of texts) await ada.send(bob, text)
  await eventually(async () => (await bob.received(ada)).length >= texts.length, 'Bob has them')
  await eventually(async () => (await ada.messages(bob)).every(({ state }) => state !== 'waiting'), 'they are sent')
}

async function fresh(network: FakeNetwork, entry = 0): Promise<TestPeer> {
  const peer = new TestPeer(network, entry)
  running.push(peer)
  await peer.start()
  return peer
}

const restore = (peer: TestPeer, passphrase = PASSPHRASE, recoveryCode: string | null = null) =>
  peer.engine.backup.restore({ username: 'ada', passphrase, recoveryCode, deviceName: 'fresh' })

const fault = (name: string) => ({ code: 'backup', facts: { fault: name } })

async function said(peer: TestPeer, other: TestPeer): Promise<string[]> {
  const { id } = (await peer.engine.snapshot()).conversations.find(
    ({ person }) => person.accountId === other.me.accountId
  )!
  return (await peer.engine.messages.page(id, { limit: 500 })).map(({ text }) => text)
}

/** Changes the head that every node keeps. */
function changeHeads(network: FakeNetwork, change: (head: BackupHead) => BackupHead): void {
  for (const [key, bytes] of network.objects.heads) {
    network.objects.heads.set(key, encodeBackupHead(change(decodeBackupHead(bytes))))
  }
}

describe('a backup', () => {
  test('comes back on an empty device, to be read, with names and files', async () => {
    const { network, ada, bob } = await world()
    await talk(ada, bob, ['one', 'two'])
    await bob.send(ada, 'three')
    const content = new Uint8Array(randomBytes(3_000))
    const { id: chat } = await ada.engine.conversations.open(bob.me.accountId)
    await ada.engine.files.send(chat, new Blob([content]), { name: 'a.bin', text: 'with a file' })
    await eventually(async () => (await ada.messages(bob)).length === 4, 'four messages')
    await eventually(async () => (await ada.messages(bob)).every(({ state }) => state !== 'waiting'), 'all sent')
    const nameOfBob = async () => (await ada.engine.snapshot()).conversations[0]!.person.username
    await eventually(async () => (await nameOfBob()) === 'bob', 'Ada knows his name')
    const { last } = await ada.engine.backup.now(PASSPHRASE)
    expect(last).toMatchObject({ chats: 1, messages: 4, files: 1, copies: 1 })
    expect(await ada.engine.backup.check()).toMatchObject({ chats: 1, messages: 4, files: 1 })
    const saidBefore = await said(ada, bob)
    await ada.engine.stop()

    const reader = await fresh(network)
    expect(await restore(reader)).toMatchObject({ messages: 4, chats: 1, readOnly: true })
    const { me, conversations } = await reader.engine.snapshot()
    expect(me).toMatchObject({ username: 'ada', deviceState: 'read-only' })
    expect(conversations[0]!.person.username).toBe('bob')
    expect(await said(reader, bob)).toEqual(saidBefore)
    await expect(reader.engine.messages.sendText(conversations[0]!.id, 'x')).rejects.toMatchObject({ code: 'held' })
    const file = (await reader.engine.messages.page(conversations[0]!.id)).find((row: ChatMessage) => row.file)!
    await reader.engine.files.fetch(file.id)
    expect(Buffer.from(await reader.engine.files.chunk(file.id, 0)).equals(content)).toBe(true)
    // It stays so, and may be restored again.
    await reader.restart()
    expect((await reader.engine.snapshot()).me!.deviceState).toBe('read-only')
    expect(await restore(reader)).toMatchObject({ messages: 0 })
  })

  test('with the recovery code makes a new device, which talks on and backs up', async () => {
    const { network, ada, bob } = await world()
    await talk(ada, bob, ['before'])
    const { code } = await ada.engine.recovery.draft()
    await ada.engine.recovery.set(code)
    network.ledger.mine()
    await ada.engine.backup.now(PASSPHRASE)
    await ada.engine.stop()

    const device = await fresh(network)
    // A wrong passphrase uses up no code.
    await expect(restore(device, 'wrong', code)).rejects.toMatchObject(fault('passphrase'))
    const restored = await restore(device, PASSPHRASE, code)
    expect(restored).toMatchObject({ messages: 1, readOnly: false, me: { deviceState: 'live' } })
    device.me = restored.me
    expect(await said(device, bob)).toEqual(['before'])
    await eventually(async () => (await device.engine.snapshot()).status.connection === 'online', 'it is online')
    expect((await device.engine.backup.now(null)).last).toMatchObject({ messages: 1 })
    expect(await restore(device)).toMatchObject({ messages: 0 })
  })

  test('brings groups back: the new device of a recovery code is in them, and talks on', async () => {
    const { network, ada, bob } = await world()
    const { group } = await ada.engine.groups.create('Climbing', [bob.me.accountId])
    await ada.engine.messages.sendText(group.id, 'hello all')
    const groupsOf = async (peer: TestPeer) => (await peer.engine.groups.list()).filter(({ id }) => id === group.id)
    await eventually(async () => (await groupsOf(bob)).length === 1, 'Bob is in it')
    await bob.engine.groups.answer(group.id, 'accepted')
    const { code } = await ada.engine.recovery.draft()
    await ada.engine.recovery.set(code)
    network.ledger.mine()
    const linesOf = async (peer: TestPeer) =>
      (await peer.engine.messages.page(group.id)).map(({ line, text }) => line?.kind ?? text)
    await eventually(async () => (await linesOf(ada)).includes('hello all'), 'it is said')
    const before = await linesOf(ada)
    await ada.engine.backup.now(PASSPHRASE)
    await ada.engine.stop()

    const device = await fresh(network)
    device.me = (await restore(device, PASSPHRASE, code)).me
    expect(await linesOf(device)).toEqual(before)
    expect(await groupsOf(device)).toMatchObject([{ name: 'Climbing', members: 2, role: 'admin', isRequest: false }])
    await device.engine.messages.sendText(group.id, 'back again')
    await eventually(async () => (await linesOf(bob)).includes('back again'), 'Bob reads it')
    await bob.engine.messages.sendText(group.id, 'welcome back')
    await eventually(async () => (await linesOf(device)).includes('welcome back'), 'Ada reads it')
  })

  test('is incremental, and another passphrase uploads nothing but the head', async () => {
    const { network, ada, bob } = await world()
    await talk(
      ada,
      bob,
      Array.from({ length: 30 }, (_, i) => `message ${i} ${'x'.repeat(2_000)}`)
    )
    const first = (await ada.engine.backup.now(PASSPHRASE)).last!
    expect(first.uploadedBytes).toBeGreaterThan(60_000)
    const again = (await ada.engine.backup.now(PASSPHRASE)).last!
    // The manifest only, which has another date.
    expect(again.uploadedBytes).toBeLessThan(10_000)
    expect(again.counter).toBe(first.counter + 1)
    const changed = (await ada.engine.backup.now('another one')).last!
    expect(changed.uploadedBytes).toBeLessThan(10_000)
    const reader = await fresh(network)
    await expect(restore(reader)).rejects.toMatchObject(fault('passphrase'))
    expect(await restore(reader, 'another one')).toMatchObject({ messages: 30 })
    // What is named no more is gone.
    expect(network.objects.at(0).size).toBe(3)
  })

  test('leaves out the files or the chats that its owner does not want, and takes them in again', async () => {
    const { network, ada, bob } = await world()
    await talk(ada, bob, ['kept'])
    const { id } = (await ada.engine.snapshot()).conversations.find(chat => chat.person.accountId === bob.me.accountId)!
    await ada.engine.files.send(id, new Blob([new Uint8Array(randomBytes(9_000))]), { name: 'plan.pdf' })
    await eventually(async () => (await ada.messages(bob)).every(({ state }) => state !== 'waiting'), 'it is sent')
    await ada.engine.backup.choose({ withFiles: false })
    expect((await ada.engine.backup.now(PASSPHRASE)).last).toMatchObject({ messages: 2, files: 0 })
    const chosen = await ada.engine.backup.choose({ leftOut: [id] })
    expect(chosen.settings).toEqual({ automatic: true, withFiles: false, leftOut: [id] })
    expect((await ada.engine.backup.now(null)).last).toMatchObject({ chats: 0, messages: 0 })
    await ada.restart()
    await eventually(async () => (await ada.engine.snapshot()).status.connection === 'online', 'it is online')
    await ada.engine.backup.choose({ withFiles: true, leftOut: [] })
    expect((await ada.engine.backup.now(null)).last).toMatchObject({ chats: 1, messages: 2, files: 1 })
    expect(await restore(await fresh(network))).toMatchObject({ messages: 2 })
  })

  test('says how far it is, when the next one runs by itself, and why the last one failed', async () => {
    const { network, ada, bob } = await world()
    await talk(ada, bob, ['one', 'two'])
    const told: (BackupWork | null)[] = []
    ada.engine.on('backup', work => told.push(work))
    expect((await ada.engine.backup.status()).nextAt).toBeNull()
    const { nextAt, last } = await ada.engine.backup.now(PASSPHRASE)
    expect(nextAt).toBeGreaterThan(last!.at)
    const steps = told.filter(work => work !== null)
    expect(told.at(-1)).toBeNull()
    expect(steps.at(-1)).toMatchObject({ kind: 'backing-up', done: steps.at(-1)!.total })
    expect(steps.map(({ done }) => done)).toEqual(steps.map(({ done }) => done).toSorted((a, b) => a - b))
    expect((await ada.engine.backup.choose({ automatic: false })).nextAt).toBeNull()
    await talk(ada, bob, ['one', 'two', 'three'])
    network.objects.interfere = ({ what }) => (what === 'put' ? failure('over-quota', 507) : undefined)
    await expect(ada.engine.backup.now(null)).rejects.toMatchObject(fault('no-room'))
    expect(await ada.engine.backup.status()).toMatchObject({ failed: 'no-room', work: null })
  })

  test('goes to two operators, and is whole without the first', async () => {
    const { network, ada, bob } = await world(3)
    await talk(ada, bob, ['kept'])
    expect((await ada.engine.backup.now(PASSPHRASE)).last!.copies).toBe(2)
    await ada.engine.stop()
    const kept = [...network.objects.heads.keys()].map(key => Number(key.split(' ')[0]))
    network.down.add(kept[0]!)
    const reader = await fresh(network, kept[1])
    expect(await restore(reader)).toMatchObject({ messages: 1 })
  })

  test('a further device of the account keeps what the first has backed up, and hides nothing', async () => {
    const { network, ada, bob } = await world()
    await talk(ada, bob, ['of the first'])
    await ada.engine.backup.now(PASSPHRASE)
    const second = await secondDevice(network, ada)
    running.push(second)
    await second.send(bob, 'of the second')
    await eventually(async () => (await second.messages(bob)).every(({ state }) => state !== 'waiting'), 'it is sent')
    await expect(second.engine.backup.now('another one')).rejects.toMatchObject(fault('passphrase'))
    await second.engine.backup.now(PASSPHRASE)
    const reader = await fresh(network)
    expect(await restore(reader)).toMatchObject({ messages: 2 })
  })
})

describe('what a storage can do', () => {
  async function backedUp() {
    const { network, ada, bob } = await world()
    await talk(ada, bob, ['kept'])
    await ada.engine.backup.now(PASSPHRASE)
    return { network, ada, bob, reader: await fresh(network) }
  }

  test('no backup, no account, and a wrong passphrase have their sentences, and change nothing', async () => {
    const { network, reader } = await backedUp()
    await expect(restore(reader, 'wrong')).rejects.toMatchObject(fault('passphrase'))
    const choice = { passphrase: PASSPHRASE, recoveryCode: null, deviceName: 'x' }
    const nobody = reader.engine.backup.restore({ ...choice, username: 'nobody' })
    await expect(nobody).rejects.toMatchObject({ code: 'no-account' })
    await expect(reader.engine.backup.restore({ ...choice, username: 'bob' })).rejects.toMatchObject(fault('none'))
    network.objects.heads.clear()
    await expect(restore(reader)).rejects.toMatchObject(fault('none'))
    expect((await reader.engine.snapshot()).stage).toBe('welcome')
  })

  test('a head that asks for a cheap derivation is refused before the passphrase is used', async () => {
    const { network, reader } = await backedUp()
    changeHeads(network, head => ({ ...head, kdf: { kind: 'argon2id', memoryKib: 64, iterations: 1, parallelism: 1 } }))
    await expect(restore(reader)).rejects.toMatchObject(fault('weak'))
  })

  test('a head that was changed or cut off does not open', async () => {
    const { network, reader } = await backedUp()
    changeHeads(network, head => ({ ...head, counter: head.counter + 5 }))
    await expect(restore(reader)).rejects.toMatchObject(fault('damaged'))
  })

  test('a head of another account under this one does not open', async () => {
    const { network, ada, bob, reader } = await backedUp()
    await bob.engine.backup.now(PASSPHRASE)
    const of = (peer: TestPeer): string => `0 ${peer.me.accountId}`
    network.objects.heads.set(of(ada), network.objects.heads.get(of(bob))!)
    await expect(restore(reader)).rejects.toMatchObject({ code: 'backup' })
    const forged = decodeBackupHead(network.objects.heads.get(of(bob))!)
    network.objects.heads.set(
      of(ada),
      encodeBackupHead({ ...forged, accountId: decodeBackupHead(network.objects.heads.get(of(ada))!).accountId })
    )
    await expect(restore(reader)).rejects.toMatchObject({ code: 'backup' })
    expect((await reader.engine.snapshot()).stage).toBe('welcome')
  })

  test('an older head is noticed by a device that made a later one', async () => {
    const { network, ada, bob } = await backedUp()
    const old = new Map(network.objects.heads)
    await talk(ada, bob, ['more', 'and more'])
    await ada.engine.backup.now(null)
    for (const [key, bytes] of old) network.objects.heads.set(key, bytes)
    await expect(ada.engine.backup.check()).rejects.toMatchObject(fault('rolled-back'))
    await expect(restore(ada)).rejects.toMatchObject(fault('rolled-back'))
    // The next backup mends it.
    await ada.engine.backup.now(null)
    expect(await ada.engine.backup.check()).toMatchObject({ messages: 3 })
  })

  test('parts that are gone or changed are said, and what can be read is here', async () => {
    const { network, ada, bob, reader } = await backedUp()
    const carol = new TestPeer(network)
    running.push(carol)
    await carol.register('carol')
    await talk(ada, carol, ['to carol'])
    const before = new Set(network.objects.at(0).keys())
    await ada.engine.backup.now(null)
    const [added] = [...network.objects.at(0)]
      .filter(([hash]) => !before.has(hash))
      .sort(([, a], [, b]) => a.length - b.length)
    const [hash, bytes] = added!
    const changed = bytes.slice()
    changed[100]! ^= 1
    network.objects.at(0).set(hash, changed)
    await expect(ada.engine.backup.check()).rejects.toMatchObject(fault('damaged'))
    network.objects.at(0).delete(hash)
    await expect(ada.engine.backup.check()).rejects.toMatchObject({ code: 'backup' })
    await expect(restore(reader)).rejects.toMatchObject({ code: 'backup' })
    void bob
  })

  test('parts that are cut off, or change places, are said by a check and by a restore, and nothing is lost', async () => {
    const { network, ada, reader } = await backedUp()
    const kept = network.objects.at(0)
    const whole = new Map(kept)
    const [first, second] = [...whole.keys()]
    const attacks: [string, () => void][] = [
      ['cut off', () => kept.set(first!, whole.get(first!)!.subarray(0, -100))],
      ['empty', () => kept.set(first!, new Uint8Array())],
      ['another one', () => kept.set(first!, whole.get(second!)!).set(second!, whole.get(first!)!)]
    ]
    for (const [what, attack] of attacks) {
      attack()
      const found = await ada.engine.backup.check().catch((error: PeerError) => error.facts)
      expect([what, found]).toEqual([what, { fault: 'damaged' }])
      await expect(restore(reader)).rejects.toMatchObject(fault('damaged'))
      for (const [hash, bytes] of whole) kept.set(hash, bytes)
    }
    expect(await ada.engine.backup.check()).toMatchObject({ messages: 1 })
    expect(await restore(reader)).toMatchObject({ chats: 1 })
    expect((await reader.engine.snapshot()).conversations).toHaveLength(1)
  })

  test('a backup that breaks off leaves the one before it, and the next run goes on', async () => {
    const { network, ada, bob, reader } = await backedUp()
    await talk(ada, bob, ['more', 'and more'])
    network.objects.interfere = ({ what }) => (what === 'put' ? failure('over-quota', 507) : undefined)
    await expect(ada.engine.backup.now(null)).rejects.toMatchObject(fault('no-room'))
    network.objects.interfere = () => undefined
    expect(await restore(reader)).toMatchObject({ messages: 1 })
    await ada.restart()
    await eventually(async () => (await ada.engine.snapshot()).status.connection === 'online', 'it is online')
    expect((await ada.engine.backup.now(null)).last).toMatchObject({ messages: 3 })
  })

  test('a storage that fails now and then is asked again', async () => {
    const { network, ada, bob } = await backedUp()
    await talk(ada, bob, ['more', 'and more'])
    let calls = 0
    network.objects.interfere = () => (++calls % 3 === 0 ? failure('busy', 503) : undefined)
    expect((await ada.engine.backup.now(null)).last).toMatchObject({ messages: 3 })
  })

  test('nothing of the backup is readable at a node, and no token is in a store', async () => {
    const { network, ada, bob } = await backedUp()
    await talk(ada, bob, ['canary-of-the-backup', 'x'])
    await ada.engine.backup.now(PASSPHRASE)
    const kept = [...network.objects.at(0).values(), ...network.objects.heads.values(), ...ada.store.entries.values()]
    for (const secret of ['canary-of-the-backup', PASSPHRASE]) {
      expect(kept.some(bytes => Buffer.from(bytes).includes(secret))).toBe(false)
    }
  })
})
