import { LocalNetwork } from '../support/network/real-processes/local-network.ts'
import { NO_LIMITS } from './durable.ts'
import type { HistoryDone, HistoryRequest } from './history-peer.ts'
import { report } from './report.ts'
import { Worker } from './worker.ts'

/** Messages that move in one go. */
export const HISTORY_MESSAGES = 100_000
const MIB = 1024 * 1024
const AT_LEAST_OF_STORE = 0.2
const AT_MOST_MIB = 30
const FIRST_CHAT_SECONDS = 20
const PEER_FILE = 'test/bench/history-peer.ts'

/**
 * A new device gets all messages of an old one through a node: messages a second beside the store alone, how soon the first chat
 * is there, and memory of both.
 */
export async function benchHistoryTransfer(messages = HISTORY_MESSAGES): Promise<void> {
  const network = await LocalNetwork.start({ nodes: 1, env: NO_LIMITS })
  const [old, added] = [new Worker<HistoryRequest>(PEER_FILE), new Worker<HistoryRequest>(PEER_FILE)]
  try {
    const url = network.urls[0]!
    const bare = await old.ask<number>({ ask: 'fill', url, messages })
    const code = await old.ask<string>({ ask: 'show' })
    await added.ask({ ask: 'join', url, code })
    const [received, shipped] = await Promise.all([
      added.ask<HistoryDone>({ ask: 'finish', messages }),
      old.ask<HistoryDone>({ ask: 'finish', messages })
    ])
    report('history-transfer', 'messages/s', messages / received.seconds, {
      peer: 'the same rows into the store alone',
      peerValue: bare,
      target: { atLeast: AT_LEAST_OF_STORE },
      note: `${messages} messages in one chat, both devices and the node on one machine`
    })
    report('history-first-chat', 's', received.firstChatSeconds, {
      target: { atMost: FIRST_CHAT_SECONDS },
      note: 'from the code to the newest messages of a chat, of so many messages in all'
    })
    for (const [side, { peakBytes }] of [['new', received] as const, ['old', shipped] as const]) {
      report(`history-transfer-memory-${side}-device`, 'MiB', peakBytes / MIB, {
        target: { atMost: AT_MOST_MIB },
        note: 'heap and buffers above what was in use before, the most of one sample a second, each after a collection'
      })
    }
  } finally {
    await Promise.all([old.stop(), added.stop()])
    await network.stop()
  }
}
