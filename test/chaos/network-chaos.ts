/**
 * People chat while nodes are killed and started again, one at a time; then everything heals, and the checker decides from
 * receipts, screens and disks whether every promise was kept.
 *
 * The file is long because the order of events is its point.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChatMessage } from '../../peer/peer-api.ts'
import { toHex } from '../../protocol/bytes.ts'
import { PENDING_TTL_MS, RECEIPTS_REQUIRED } from '../../protocol/limits.ts'
import { checkHistory, type Verdict } from '../support/custody-checker.ts'
import type { History, HistoryEvent, StoreDump } from '../support/custody-history.ts'
import { LocalNetwork } from '../support/network/real-processes/local-network.ts'
import {
  converse,
  disposePeer,
  registerPeer,
  type NetworkPeer
} from '../support/network/real-processes/network-peers.ts'
import { comesTrue } from '../support/wait-for.ts'
import { judgeReceipt } from './receipt-check.ts'
import { dumpStore } from './store-dump.ts'

export interface ChaosInit {
  nodes: number
  people: number
  /** How long messages flow and nodes die. */
  durationMs: number
  /** Go on past {@link durationMs} until so many nodes died: a busy machine takes long to start one again. None by default. */
  killsAtLeast?: number
  /** Between two messages of one person. */
  sendEveryMs: number
  /** How long a killed node stays away. */
  downMs: number
  /** Between a node's return and the next kill. */
  upMs: number
  /** Choose which node dies; 0 to 1. */
  random: () => number
  /** How long healing may take before what is missing counts as lost. */
  healMs: number
  /** Time for acknowledgements to reach every replica, before the disks are read. */
  settleMs: number
  /** Told what happens, for people. */
  log?: (line: string) => void
  /** Environment of the nodes. */
  env?: Record<string, string>
}

export interface ChaosResult extends Verdict {
  kills: number
  /** Milliseconds from the last restart until every message was shown. */
  healedInMs: number | null
}

/** One person's side of a conversation with the next. */
interface Thread {
  from: NetworkPeer
  to: NetworkPeer
  conversation: string
  sent: { text: string; id: string; at: number }[]
}

export async function runChaos(init: ChaosInit): Promise<ChaosResult> {
  const network = await LocalNetwork.start({ nodes: init.nodes, ...(init.env && { env: init.env }) })
  const people: NetworkPeer[] = []
  let stopped = false
  try {
    for (let i = 0; i < init.people; i++) {
      people.push(await registerPeer(network.urls[i % init.nodes]!, `person_${i}`))
    }
    const threads = await openThreads(people)
    init.log?.(`${people.length} people chat over ${init.nodes} nodes`)
    const faults: HistoryEvent[] = []
    const end = Date.now() + init.durationMs
    let isKilling = true
    const killing = killNodes(network, init, end, faults).finally(() => (isKilling = false))
    const isOver = (): boolean => !isKilling && Date.now() >= end
    await Promise.all([killing, ...threads.map(thread => keepWriting(thread, init, isOver))])
    const healing = Date.now()
    const healed = await comesTrue(() => isEverythingShown(threads), { timeoutMs: init.healMs, lookMs: 1_000 })
    const healedInMs = healed ? Date.now() - healing : null
    await comesTrue(async () => (await sumWaiting(people)) === 0, { timeoutMs: init.healMs, lookMs: 250 })
    const events = [...(await eventsOf(network, threads)), ...faults]
    await Promise.all(people.splice(0).map(disposePeer))
    await sleep(init.settleMs)
    await network.stop({ keepData: true })
    stopped = true
    const stores = await dumpAll(network)
    const history: History = {
      events,
      stores,
      operators: init.nodes,
      receiptsRequired: RECEIPTS_REQUIRED,
      epoch: 0,
      end: Date.now()
    }
    network.remove()
    return { ...checkHistory(history), kills: faults.filter(isKill).length, healedInMs }
  } finally {
    await Promise.all(people.map(disposePeer))
    if (!stopped) await network.stop()
  }
}

const isKill = (event: HistoryEvent): boolean => event.kind === 'fault' && event.fault === 'kill'

/** Everybody writes to the next one, so each has one thread out and one in. */
async function openThreads(people: NetworkPeer[]): Promise<Thread[]> {
  const threads: Thread[] = []
  for (const [index, from] of people.entries()) {
    const to = people[(index + 1) % people.length]!
    threads.push({ from, to, conversation: await converse(from, to), sent: [] })
  }
  return threads
}

async function keepWriting(thread: Thread, init: ChaosInit, isOver: () => boolean): Promise<void> {
  const { from, to, conversation, sent } = thread
  while (!isOver()) {
    const text = `${from.name} to ${to.name}, number ${sent.length + 1}`
    const { id, sentAt: at } = await from.engine.messages.sendText(conversation, text)
    sent.push({ text, id, at })
    await sleep(init.sendEveryMs)
  }
}

/** Kills one node after another; the one before is back first, so that two replicas are always there. */
async function killNodes(network: LocalNetwork, init: ChaosInit, end: number, faults: HistoryEvent[]): Promise<void> {
  const { killsAtLeast = 0 } = init
  while (Date.now() + init.upMs + init.downMs < end || faults.filter(isKill).length < killsAtLeast) {
    await sleep(init.upMs)
    const victim = Math.floor(init.random() * init.nodes)
    const node = toHex(network.definition.epochs[0]!.nodes[victim]!.key)
    init.log?.(`killing node ${victim + 1}`)
    await network.kill(victim)
    faults.push({ kind: 'fault', at: Date.now(), node, fault: 'kill' })
    await sleep(init.downMs)
    await network.startNode(victim)
    faults.push({ kind: 'fault', at: Date.now(), node, fault: 'restart' })
  }
}

async function textsShownTo({ from, to, conversation }: Thread): Promise<{ text: string; at: number; gap: boolean }[]> {
  const messages: ChatMessage[] = []
  for (;;) {
    const before = messages[0]?.id
    const page = await to.engine.messages.page(conversation, { limit: PAGE, ...(before !== undefined && { before }) })
    messages.unshift(...page)
    if (page.length < PAGE) break
  }
  return messages
    .filter(message => message.from === from.me.accountId)
    .map(({ text, receivedAt, kind }) => ({ text, at: receivedAt, gap: kind === 'gap' }))
}

/** Messages that a peer gives at once. */
const PAGE = 500

async function isEverythingShown(threads: Thread[]): Promise<boolean> {
  for (const thread of threads) {
    const shown = new Set((await textsShownTo(thread)).map(({ text }) => text))
    if (!thread.sent.every(({ text }) => shown.has(text))) return false
  }
  return true
}

async function sumWaiting(people: NetworkPeer[]): Promise<number> {
  const snapshots = await Promise.all(people.map(({ engine }) => engine.snapshot()))
  return snapshots.reduce((sum, { status }) => sum + status.waiting, 0)
}

/** What happened, told from both ends of every thread. A text names its message: two displays of one text are two. */
async function eventsOf(network: LocalNetwork, threads: Thread[]): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = []
  for (const thread of threads) {
    const { from, to, conversation, sent } = thread
    const device = to.me.deviceId
    const receiptsOf = new Map<string, string[]>()
    for (const [index, { text, id, at }] of sent.entries()) {
      events.push({
        kind: 'submit',
        at,
        message: text,
        sender: from.me.deviceId,
        conversation,
        sequence: index + 1,
        devices: [device],
        expiry: at + PENDING_TTL_MS
      })
      const receipts = await Promise.all(
        (await from.engine.messages.receipts(id)).map(r => judgeReceipt(network.definition, r))
      )
      if (receipts.length > 0) events.push({ kind: 'sent', at, message: text, receipts })
      receiptsOf.set(
        text,
        receipts.filter(receipt => receipt.device === device).map(({ deliveryId }) => deliveryId)
      )
    }
    // The place on the screen is the order that counts, so these are listed as they stand there.
    for (const { text, at, gap } of await textsShownTo(thread)) {
      if (gap) events.push({ kind: 'gap', at, device, sender: from.me.deviceId, conversation })
      else {
        events.push({ kind: 'display', at, device, message: text })
        for (const deliveryId of receiptsOf.get(text) ?? []) {
          events.push({ kind: 'acknowledge', at, device, deliveryId })
        }
      }
    }
  }
  return events
}

async function dumpAll(network: LocalNetwork): Promise<StoreDump[]> {
  const dumps: StoreDump[] = []
  for (const [index, { key }] of network.definition.epochs[0]!.nodes.entries()) {
    dumps.push(await dumpStore(toHex(key), join(network.dataOf(index), 'messages', 'db')))
  }
  return dumps
}
