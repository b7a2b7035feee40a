/** `volo-node backup` and `restore` on real processes. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { AppDatabase } from '../../../node/app-database.ts'
import { createNodePeer } from '../../../peer/node-peer.ts'
import { freePort } from '../../support/free-port.ts'
import {
  converse,
  disposePeer,
  registerPeer,
  type NetworkPeer
} from '../../support/network/real-processes/network-peers.ts'
import { CommandProcess, NodeProcess, temporaryFolder } from '../../support/network/real-processes/node-process.ts'
import { eventually } from '../../support/wait-for.ts'

const WAIT_MS = 60_000
/** More than what waits in the sockets between a node and the command. */
const FILLER_ENTRIES = 600
const FILLER_BYTES = 100_000

const cleanups: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function folder(): string {
  const path = temporaryFolder()
  cleanups.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function command(dataDir: string, ...args: string[]): CommandProcess {
  return new CommandProcess('node/main.ts', args, { env: { VOLO_DATA_DIR: dataDir } })
}

async function startNode(dataDir: string, port = 0): Promise<NodeProcess> {
  const node = await NodeProcess.start({ dataDir, flags: ['--port', String(port), '--admin-port', '0'] })
  cleanups.push(() => node.dispose())
  return node
}

async function person(url: string, name: string): Promise<NetworkPeer> {
  const peer = await registerPeer(url, name)
  cleanups.push(() => disposePeer(peer))
  return peer
}

/** A store that takes a while to copy. */
async function fill(dataDir: string): Promise<void> {
  const database = new AppDatabase(join(dataDir, 'app'))
  await database.open()
  const store = database.storeFor('publisher')
  for (let i = 0; i < FILLER_ENTRIES; i++) {
    await store.put(`~filler-${i}`, String(i).padEnd(FILLER_BYTES, '.'), { sync: false })
  }
  await database.close()
}

describe('volo-node backup', () => {
  it('of a running node holds what waits, and a node restored from it delivers that', async () => {
    const port = await freePort()
    const node = await startNode(folder(), port)
    const ada = await person(node.url, 'ada')
    const bob = await person(node.url, 'bob')
    const conversation = await converse(ada, bob)
    await ada.engine.messages.sendText(conversation, 'before he went')
    await eventually(async () => (await bob.engine.snapshot()).conversations.length === 1, { timeoutMs: WAIT_MS })
    await bob.engine.stop()

    const { id } = await ada.engine.messages.sendText(conversation, 'while he was away')
    await eventually(
      async () => (await ada.engine.messages.page(conversation)).find(shown => shown.id === id)?.state === 'sent',
      { timeoutMs: WAIT_MS }
    )
    const out = join(folder(), 'backup')
    const made = await command(node.dataDir, 'backup', '--out', out, '--json').ended
    expect(made, made.stderr).toMatchObject({ code: 0 })
    expect(JSON.parse(made.stdout)).toMatchObject({ running: true, elsewhere: [] })
    await node.stop('SIGKILL')
    await ada.engine.stop()

    const other = folder()
    const restored = await command(other, 'restore', '--from', out).ended
    expect(restored, restored.stderr).toMatchObject({ code: 0 })
    const again = await command(other, 'restore', '--from', out).ended
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('is not empty') as string })
    await startNode(other, port)
    bob.engine = await createNodePeer({ dataDir: bob.dataDir })
    await bob.engine.start()
    const texts = async (): Promise<string[]> =>
      (await bob.engine.messages.page((await bob.engine.snapshot()).conversations[0]!.id))
        .filter(({ kind }) => kind === 'text')
        .map(({ text }) => text)
    await eventually(async () => (await texts()).includes('while he was away'), { timeoutMs: WAIT_MS })
    expect(await texts()).toEqual(['before he went', 'while he was away'])
  })

  it('is not there if the node dies in the middle, nor if the command does', async () => {
    const dataDir = folder()
    await fill(dataDir)
    const node = await startNode(dataDir)
    const out = join(folder(), 'backup')

    const killed = command(dataDir, 'backup', '--out', out)
    await eventually(() => existsSync(join(out, 'app.store')), { lookMs: 1 })
    await killed.stop('SIGKILL')
    const refused = await command(folder(), 'restore', '--from', out).ended
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('no finished backup') as string })

    const second = join(folder(), 'backup')
    const orphan = command(dataDir, 'backup', '--out', second)
    await eventually(() => existsSync(join(second, 'app.store')), { lookMs: 1 })
    orphan.child.kill('SIGSTOP')
    await node.stop('SIGKILL')
    orphan.child.kill('SIGCONT')
    expect(await orphan.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing is left') as string })
    expect(readdirSync(second)).toEqual([])
  })

  it('says how it is written, and what is wrong', async () => {
    const help = await command(folder(), 'backup', '--help').ended
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('--out DIR') as string })
    const wrong = await command(folder(), 'backup').ended
    expect(wrong).toMatchObject({ code: 2, stderr: 'volo-node: backup needs --out DIR\n' })
    const nothing = await command(folder(), 'backup', '--out', folder()).ended
    expect(nothing).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing to back up') as string })
  })
})
