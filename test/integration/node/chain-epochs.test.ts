import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNodePeer } from '../../../peer/node-peer.ts'
import { runOperatorCommand } from '../../../node/operator/chain-commands.ts'
import type { NodeFacts } from '../../../node/operator/operator-desk.ts'
import { LocalNetwork } from '../../support/network/real-processes/local-network.ts'
import {
  converse,
  disposePeer,
  registerPeer,
  type NetworkPeer
} from '../../support/network/real-processes/network-peers.ts'
import { CommandProcess, temporaryFolder } from '../../support/network/real-processes/node-process.ts'

const DEADLINE = { timeout: 60_000, interval: 100 }
/** Three nodes of genesis; the fourth will be admitted, the fifth not: that one only has keys, and no process. */
const [FIRST, SECOND, THIRD, FOURTH, FIFTH] = [0, 1, 2, 3, 4] as const

interface NetworkAnswer {
  node: string
  epoch: { number: number; nodes: { key: string; url: string; operator: string }[] }
}
interface Status {
  peers: { pendingCount: number; peers: { connected: boolean }[] }
}

let network: LocalNetwork
let ada: NetworkPeer
let bob: NetworkPeer
let fifth: string

async function get<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T
}
const answerOf = (index: number): Promise<NetworkAnswer> => get(`${network.urls[index]!}/v1/network`)
const listeningFile = (index: number): string => join(network.dataOf(index), 'listening.json')
const adminUrl = (index: number): string =>
  (JSON.parse(readFileSync(listeningFile(index), 'utf8')) as { adminUrl: string }).adminUrl
const statusOf = (index: number): Promise<Status> => get(`${adminUrl(index)}/status`)
const reasonsOf = async (index: number): Promise<string[]> =>
  ((await get<{ reasons?: { code: string }[] }>(`${network.urls[index]!}/readyz`)).reasons ?? []).map(
    ({ code }) => code
  )

/** What an operator types; in this process, because starting one for each takes longer. */
async function command<T>(index: number, ...args: string[]): Promise<T> {
  return JSON.parse(await runOperatorCommand([...args, '--json'], network.settingsOf(index))) as T
}

/** Until the chain, as a node sees it, has what is looked for. */
async function untilNodes(index: number, isThere: (nodes: NodeFacts['nodes']) => boolean): Promise<void> {
  await expect.poll(async () => isThere((await get<NodeFacts>(`${adminUrl(index)}/nodes`)).nodes), DEADLINE).toBe(true)
}

beforeAll(async () => {
  network = await LocalNetwork.start({
    nodes: 4,
    unlisted: 1,
    placement: { epochBlocks: 8, finalBlocks: 4 },
    // Every node of the list keeps every mailbox.
    genesis: { replicaCount: 4, nameTagCost: { memoryKib: 8, passes: 1 } },
    devnet: ['--block-ms', '200']
  })
  mkdirSync(network.dataOf(FIFTH))
  copyFileSync(listeningFile(FIRST), listeningFile(FIFTH))
  ;[ada, bob] = await Promise.all([
    registerPeer(network.urls[FIRST]!, 'ada'),
    registerPeer(network.urls[SECOND]!, 'bob'),
    ...[FIRST, SECOND, THIRD, FOURTH].map(index => command(index, 'announce'))
  ])
  const link = ['--link', '/ip4/127.0.0.1/tcp/9', '--url', 'http://127.0.0.1:9999']
  fifth = (await command<{ node: string }>(FIFTH, 'announce', ...link)).node
})

afterAll(async () => {
  await Promise.all([ada, bob].flatMap(peer => (peer ? [disposePeer(peer)] : [])))
  await network?.stop()
})

describe('a network whose lists of nodes follow the chain', () => {
  it('keeps its first list while nobody new is admitted, and links with listed nodes only', async () => {
    await untilNodes(FIRST, nodes => nodes.length === 5 && nodes.every(({ confirmations }) => confirmations > 0))
    const { nodes } = await get<NodeFacts>(`${adminUrl(FIRST)}/nodes`)
    expect(nodes.filter(({ admitted }) => admitted)).toHaveLength(3)
    expect(await reasonsOf(FOURTH)).toContain('not-listed')
    expect((await statusOf(FOURTH)).peers.peers.map(({ connected }) => connected)).toEqual([false, false, false])
  })

  it('takes a node in once two operators vouched and the record is final, everywhere', async () => {
    const { node: fourth } = await answerOf(FOURTH)
    await Promise.all([
      command(FIRST, 'vouch', fourth),
      command(SECOND, 'vouch', fourth),
      command(THIRD, 'vouch', fifth)
    ])
    const { code, stderr } = await new CommandProcess('node/main.ts', ['vouch', fourth], {
      env: network.settingsOf(FIFTH)
    }).ended
    expect([code, stderr]).toEqual([1, expect.stringContaining('This operator is not admitted itself')])
    const epochs = async (): Promise<NetworkAnswer['epoch'][]> =>
      (await Promise.all([FIRST, SECOND, THIRD, FOURTH].map(answerOf))).map(({ epoch }) => epoch)
    const sizes = async (): Promise<number[]> => (await epochs()).map(({ nodes }) => nodes.length)
    await expect.poll(sizes, DEADLINE).toEqual([4, 4, 4, 4])
    const [epoch, ...others] = await epochs()
    expect(others).toEqual([epoch, epoch, epoch])
    expect(epoch!.nodes.some(({ key }) => key === fourth)).toBe(true)
    await expect.poll(() => reasonsOf(FOURTH), DEADLINE).toEqual([])
    const { nodes } = await get<NodeFacts>(`${adminUrl(FIRST)}/nodes`)
    expect(nodes.find(({ node }) => node === fifth)).toMatchObject({ admitted: false, listed: false })
  })

  it('stores messages on the new node', async () => {
    const conversation = await converse(ada, bob)
    await bob.engine.stop()
    const before = (await statusOf(FOURTH)).peers.pendingCount
    await ada.engine.messages.sendText(conversation, 'hello')
    await expect.poll(async () => (await statusOf(FOURTH)).peers.pendingCount, DEADLINE).toBeGreaterThan(before)
    await expect.poll(async () => (await ada.engine.snapshot()).status.epoch, DEADLINE).toBeGreaterThan(0)
    expect((await ada.engine.snapshot()).status.listedNodes).toBe(4)
  })

  it('is not entered by way of a node that tells a forged identity', async () => {
    const liar = await forger(network.urls[FIRST]!, list => ({ ...list, key: 'ab'.repeat(32) }))
    const honest = await forger(network.urls[FIRST]!, list => list)
    const tryNode = async (server: Server): Promise<void> => {
      const dataDir = temporaryFolder()
      const nodeUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const peer = await createNodePeer({ dataDir, nodeUrl })
      try {
        await peer.start()
        await peer.account.startSignIn('demo', 'http://127.0.0.1:9/')
      } finally {
        await peer.stop()
        rmSync(dataDir, { recursive: true, force: true })
      }
    }
    try {
      await tryNode(honest)
      await expect(tryNode(liar)).rejects.toMatchObject({ code: 'unproven-list' })
    } finally {
      for (const server of [liar, honest]) server.close()
    }
  })
})

/** A node that passes on what another one says, with another last entry in its list. */
async function forger(
  origin: string,
  change: (node: NetworkAnswer['epoch']['nodes'][0]) => NetworkAnswer['epoch']['nodes'][0]
): Promise<Server> {
  const passOn = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url, method } = request
    const posted = { method: method!, headers: { 'content-type': 'application/json' }, body: await text(request) }
    const answer = await fetch(origin + url!, method === 'POST' ? posted : {})
    const body = Buffer.from(await answer.arrayBuffer())
    response.statusCode = answer.status
    if (url !== '/v1/network') return void response.end(body)
    const told = JSON.parse(body.toString()) as NetworkAnswer
    const nodes = told.epoch.nodes.map((node, index, all) => (index === all.length - 1 ? change(node) : node))
    response.end(JSON.stringify({ ...told, epoch: { ...told.epoch, nodes } }))
  }
  const server = createServer((request, response) => {
    passOn(request, response).catch(() => response.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
