/**
 * One device of the history measurement, in a process of its own, so that its memory is its own. Speaks with the measurement
 * over its IPC channel.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { createNodeCrypto } from '../../protocol/crypto/backends/node-crypto.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import type { EngineContext } from '../../peer/engine-context.ts'
import { conversationOf } from '../../peer/groups/conversation-roster.ts'
import { shownIdOf } from '../../peer/history/shown-id.ts'
import { createNodePeer } from '../../peer/node-peer.ts'
import { StateStore } from '../../peer/store/state-store.ts'
import { EMPTY_CONVERSATION, orderOf } from '../../peer/store/conversation-entries.ts'
import { slots } from '../../peer/store/store-layout.ts'
import { registerPeer, type NetworkPeer } from '../support/network/real-processes/network-peers.ts'
import { temporaryFolder } from '../support/network/real-processes/node-process.ts'
import { filledRow, openPeerFolder } from '../support/peer/filled-store.ts'
import { eventually } from '../support/wait-for.ts'
import { serveRequests } from './worker.ts'

/** What the measurement asks for; each is answered once. */
export type HistoryRequest =
  /** An account with so many messages in one chat. Answered with how many a second the store took. */
  | { ask: 'fill'; url: string; messages: number }
  | { ask: 'show' }
  | { ask: 'join'; url: string; code: string }
  /** Answered once the history is there, or was shipped. */
  | { ask: 'finish'; messages: number }

/** How the history came. */
export interface HistoryDone {
  seconds: number
  /** From the code to the newest messages of a chat; 0 on the device that ships them. */
  firstChatSeconds: number
  /** Most bytes of heap and buffers that were in use above what was before, each time after a collection. */
  peakBytes: number
}

const BATCH = 150
const SAMPLE_MS = 1_000
const PATIENCE_MS = 30 * 60_000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const inUse = (): number => {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

let peer: Pick<NetworkPeer, 'engine' | 'dataDir'>
let [baseBytes, peakBytes, begunAt] = [0, 0, 0]
let joinedAt = 0

async function answer(request: HistoryRequest): Promise<unknown> {
  switch (request.ask) {
    case 'fill':
      return fill(request.url, request.messages)
    case 'show':
      return show()
    case 'join':
      return joinAccount(request.url, request.code)
    case 'finish':
      return finish(request.messages)
  }
}

function watchMemory(): void {
  baseBytes = inUse()
  begunAt = performance.now()
  setInterval(() => (peakBytes = Math.max(peakBytes, inUse())), SAMPLE_MS).unref()
}

async function fill(url: string, messages: number): Promise<number> {
  const { engine, me, dataDir } = await registerPeer(url, 'ada')
  await engine.stop()
  const [accountId, deviceId] = [fromHex(me.accountId, 32) as AccountId, fromHex(me.deviceId, 16) as DeviceId]
  const { networkId } = (await (await fetch(`${url}/v1/network`)).json()) as { networkId: string }
  const write = { networkId, accountId, deviceId, messages }
  await written(dataDir, write)
  const bare = await written(temporaryFolder(), write)
  const opened = await createNodePeer({ dataDir, nodeUrl: url })
  await opened.start()
  await opened.online(PATIENCE_MS)
  peer = { engine: opened, dataDir }
  return bare
}

/** Writes a chat of so many messages into a store. @returns how many a second. */
async function written(
  dataDir: string,
  init: { networkId: string; accountId: AccountId; deviceId: DeviceId; messages: number }
): Promise<number> {
  const store = await openPeerFolder(dataDir)
  const states = new StateStore(store)
  const { accountId, deviceId, messages } = init
  const network = { id: fromHex(init.networkId, 32) }
  const context = {
    crypto: createNodeCrypto(),
    network: () => network,
    accountId: () => accountId
  } as unknown as EngineContext
  const other = new Uint8Array(32).fill(7) as AccountId
  const chat = conversationOf(context, [accountId, other])
  const start = performance.now()
  for (let from = 1; from <= messages; from += BATCH) {
    const to = Math.min(from + BATCH, messages + 1)
    await states.unit(
      async unit => {
        for (let place = from; place < to; place++) {
          const row = filledRow(
            place,
            chat.conversationId,
            place % 2 === 0 ? accountId : other,
            deviceId,
            place % 2 === 0
          )
          const order = orderOf(place)
          unit.write(slots.message(toHex(chat.conversationId), order), row)
          unit.write(slots.place(shownIdOf(context, row)), { conversationId: chat.conversationId, order })
        }
        const lastOrder = orderOf(to - 1)
        const counts = {
          ...EMPTY_CONVERSATION,
          updatedAt: Date.now(),
          nextPlace: to,
          lastOrder
        }
        unit.write(slots.conversation(toHex(chat.conversationId)), { ...chat, ...counts })
      },
      { durable: false }
    )
  }
  await states.flush()
  const seconds = (performance.now() - start) / 1_000
  await store.close()
  return messages / seconds
}

async function show(): Promise<string> {
  watchMemory()
  const { words } = (await peer.engine.linking.show()).code!
  void eventually(() => peer.engine.linking.state?.step === 'asking', { timeoutMs: PATIENCE_MS }).then(() =>
    peer.engine.linking.answer(true)
  )
  return words
}

async function joinAccount(url: string, code: string): Promise<void> {
  const dataDir = temporaryFolder()
  const engine = await createNodePeer({ dataDir, nodeUrl: url })
  await engine.start()
  peer = { engine, dataDir }
  joinedAt = performance.now()
  await engine.linking.join(code, 'new')
  watchMemory()
}

async function finish(messages: number): Promise<HistoryDone> {
  let firstChatSeconds = 0
  const isDone = async (): Promise<boolean> => {
    const status = await peer.engine.history.status()
    if (firstChatSeconds === 0 && status.messages > 0) firstChatSeconds = (performance.now() - joinedAt) / 1_000
    return status.state === 'done' ? status.messages >= messages : status.shipping.some(({ isDone }) => isDone)
  }
  await eventually(isDone, { what: 'the history', timeoutMs: PATIENCE_MS, lookMs: 100 })
  const seconds = (performance.now() - begunAt) / 1_000
  peakBytes = Math.max(peakBytes, inUse())
  await peer.engine.stop()
  return { seconds, firstChatSeconds, peakBytes: peakBytes - baseBytes }
}

serveRequests(answer)
