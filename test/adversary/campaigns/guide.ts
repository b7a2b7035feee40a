/**
 * A year of an operator in a minute: three nodes as the operators' guide sets them up, in production mode behind TLS, rolled,
 * restored and replaced while two people write to each other.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeFacts } from '../../../node/operator/operator-desk.ts'
import type { ChatMessage } from '../../../peer/peer-api.ts'
import { GuideNetwork } from '../../support/guide/guide-network.ts'
import { converse, disposePeer, type NetworkPeer } from '../../support/network/real-processes/network-peers.ts'
import type { CommandResult } from '../../support/network/real-processes/node-process.ts'
import { comesTrue, eventually } from '../../support/wait-for.ts'
import type { CampaignInit, CampaignOutcome } from './campaign.ts'

const NODES = 3
const REPLACED = 2
const NEWCOMER = 3
/** Lists of nodes change within seconds. */
const PLACEMENT = { epochBlocks: 8, finalBlocks: 4 }
const PACE_MS = 200
const PATIENCE = { timeoutMs: 180_000, lookMs: 200 }
const PAGE = 200

/** One person's side of the conversation. */
interface Writer {
  person: NetworkPeer
  conversation: string
  written: string[]
  faults: string[]
}

/** Rolls, restores and replaces nodes `runs` times each; every fault that a person would see is an example. */
export async function runGuide({ runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const deadline = performance.now() + budgetMs
  const network = await GuideNetwork.start({ nodes: NODES, spare: 1, placement: PLACEMENT })
  const people: NetworkPeer[] = []
  try {
    // Operators of genesis announce, too.
    for (let index = 0; index < NODES; index++) done(await network.command(index, 'announce'), 'announce')
    people.push(...(await Promise.all([network.register(0, 'ada'), network.register(1, 'bob')])))
    const [ada, bob] = people as [NetworkPeer, NetworkPeer]
    const writers: Writer[] = [
      { person: ada, conversation: await converse(ada, bob), written: [], faults: [] },
      { person: bob, conversation: await converse(bob, ada), written: [], faults: [] }
    ]
    const stop = new AbortController()
    const writing = Promise.all(writers.map(writer => write(writer, stop.signal)))
    let rounds = 0
    try {
      for (; rounds < runs && performance.now() < deadline; rounds++) {
        await rollEach(network)
        await restoreOne(network, join(ada.dataDir, `backup-${rounds}`))
      }
      await replaceOne(network)
    } finally {
      stop.abort()
      await writing
    }
    const examples = [
      ...(await missing(writers[0]!, writers[1]!)),
      ...(await missing(writers[1]!, writers[0]!)),
      ...writers.flatMap(({ faults }) => faults)
    ]
    return {
      runs: rounds,
      failures: examples.length,
      examples: examples.slice(0, 20),
      messages: writers.reduce((sum, { written }) => sum + written.length, 0),
      proxy: network.proxyKind
    }
  } finally {
    await Promise.all(people.map(disposePeer))
    await network.stop()
  }
}

function done({ code, stderr }: CommandResult, what: string): void {
  if (code !== 0) throw new Error(`"volo-node ${what}" ended with ${code}: ${stderr}`)
}

/** Writes until told to stop. A call that fails is an error that a person would see. */
async function write({ person, conversation, written, faults }: Writer, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const text = `${person.name} ${written.length}`
    await person.engine.messages.sendText(conversation, text).then(
      () => written.push(text),
      (error: unknown) => faults.push(`${person.name} could not write: ${String(error)}`)
    )
    await sleep(PACE_MS)
  }
}

/** Upgrades the nodes as the guide says: drained, started again, ready, then the next. */
async function rollEach(network: GuideNetwork): Promise<void> {
  for (let index = 0; index < NODES; index++) {
    done(await network.command(index, 'drain'), 'drain')
    const ended = await network.processOf(index).ended
    if (ended.code !== 0) throw new Error(`node ${index + 1} ended with ${ended.code}: ${ended.stderr}`)
    await network.startNode(index)
    await untilReady(network, index)
  }
}

/** Loses a node's disk, and starts it again from a backup that was made while it ran. */
async function restoreOne(network: GuideNetwork, backup: string): Promise<void> {
  const index = 1
  done(await network.command(index, 'backup', '--out', backup), 'backup')
  await network.processOf(index).stop('SIGKILL')
  rmSync(network.dataOf(index), { recursive: true })
  done(await network.command(index, 'restore', '--from', backup), 'restore')
  await network.startNode(index)
  await untilReady(network, index)
}

/** A new machine with a new node key takes over from an old one of the same operator. */
async function replaceOne(network: GuideNetwork): Promise<void> {
  network.moveOperator(REPLACED, NEWCOMER)
  await network.startNode(NEWCOMER)
  const announced = await network.command(NEWCOMER, 'announce', '--json')
  done(announced, 'announce')
  const { node } = JSON.parse(announced.stdout) as { node: string }
  await eventually(() => isOnChain(network, node), { what: 'the new node on the chain', ...PATIENCE })
  done(await network.command(REPLACED, 'announce', '--withdraw'), 'announce --withdraw')
  const urls = async (): Promise<string[]> => {
    const answer = await fetch(`${network.urlOf(0)}/v1/network`)
    return ((await answer.json()) as { epoch: { nodes: { url: string }[] } }).epoch.nodes.map(({ url }) => url)
  }
  await eventually(
    async () => {
      const listed = await urls()
      return listed.includes(network.urlOf(NEWCOMER)) && !listed.includes(network.urlOf(REPLACED))
    },
    { what: 'the list with the new node', ...PATIENCE }
  )
  await untilReady(network, NEWCOMER)
  await untilHandedOver(network)
  done(await network.command(REPLACED, 'drain'), 'drain')
  await network.processOf(REPLACED).ended
}

/** As the old node sees it: its record continues the account's, so it has to know the newest. */
async function isOnChain(network: GuideNetwork, node: string): Promise<boolean> {
  const { stdout } = await network.command(REPLACED, 'nodes', '--json')
  const { nodes } = JSON.parse(stdout) as NodeFacts
  return nodes.some(each => each.node === node && each.confirmations > 0)
}

async function untilReady(network: GuideNetwork, index: number): Promise<void> {
  await eventually(async () => (await fetch(`${network.urlOf(index)}/readyz`).catch(() => undefined))?.ok === true, {
    what: `node ${index + 1} to be ready`,
    ...PATIENCE
  })
}

/** The old node keeps nothing that others do not have. */
async function untilHandedOver(network: GuideNetwork): Promise<void> {
  await eventually(
    async () => {
      const { stdout } = await network.command(REPLACED, 'status', '--json')
      return (JSON.parse(stdout) as { peers: { pendingCount: number } }).peers.pendingCount === 0
    },
    { what: 'the old node to hand over', timeoutMs: PATIENCE.timeoutMs, lookMs: 1_000 }
  )
}

/** What one wrote and the other does not show, shows twice, or that is not told to be on its way. */
async function missing(from: Writer, to: Writer): Promise<string[]> {
  const arrived = await comesTrue(async () => (await texts(to, false)).length >= from.written.length, PATIENCE)
  const faults: string[] = arrived ? [] : [`not all that ${from.person.name} wrote has come`]
  const counts = new Map<string, number>()
  for (const { text } of await texts(to, false)) counts.set(text, (counts.get(text) ?? 0) + 1)
  for (const text of from.written) {
    const times = counts.get(text) ?? 0
    if (times !== 1) faults.push(`"${text}" was shown ${times} times`)
  }
  const isTold = (message: ChatMessage): boolean =>
    message.state !== 'waiting' && message.state !== 'failed' && message.problem === null
  await comesTrue(async () => (await texts(from, true)).every(isTold), PATIENCE)
  for (const message of await texts(from, true)) {
    if (!isTold(message)) faults.push(`"${message.text}" is shown as ${message.state}`)
  }
  return faults
}

async function texts({ person, conversation }: Writer, mine: boolean): Promise<ChatMessage[]> {
  const all: ChatMessage[] = []
  for (let before: string | undefined; ;) {
    const page = await person.engine.messages.page(conversation, {
      limit: PAGE,
      ...(before !== undefined && { before })
    })
    all.push(...page)
    if (page.length < PAGE) return all.filter(message => message.kind === 'text' && message.mine === mine)
    before = page[0]!.id
  }
}
