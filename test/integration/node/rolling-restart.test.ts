/** Every node of a network of three is drained and started again, one after another, while two people write to each other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { LocalNetwork } from '../../support/network/real-processes/local-network.ts'
import {
  converse,
  disposePeer,
  registerPeer,
  type NetworkPeer
} from '../../support/network/real-processes/network-peers.ts'
import { CommandProcess } from '../../support/network/real-processes/node-process.ts'
import { eventually } from '../../support/wait-for.ts'

const WAIT_MS = 60_000
/** Pause between two messages of one person: some are on their way whenever a node drains. */
const PACE_MS = 200
const STOP_LIMIT_MS = 10_000

let network: LocalNetwork
let ada: NetworkPeer
let bob: NetworkPeer
beforeAll(async () => {
  network = await LocalNetwork.start({ nodes: 3 })
  ;[ada, bob] = await Promise.all([registerPeer(network.urls[0]!, 'ada'), registerPeer(network.urls[2]!, 'bob')])
})
afterAll(async () => {
  await Promise.all([ada, bob].filter(Boolean).map(disposePeer))
  await network?.stop()
})

/** Writes until told to stop. @returns what was written; an error that the writer meets ends it. */
async function write(from: NetworkPeer, conversation: string, signal: AbortSignal): Promise<string[]> {
  const written: string[] = []
  while (!signal.aborted) {
    const text = `${from.name} ${written.length}`
    await from.engine.messages.sendText(conversation, text)
    written.push(text)
    await sleep(PACE_MS)
  }
  return written
}

async function page(of: NetworkPeer, conversation: string, mine: boolean) {
  const messages = await of.engine.messages.page(conversation, { limit: 500 })
  return messages.filter(message => message.kind === 'text' && message.mine === mine)
}

describe('a rolling restart under load', () => {
  it('shows no error to anybody, loses nothing and doubles nothing', async () => {
    const adas = await converse(ada, bob)
    const bobs = await converse(bob, ada)
    const stop = new AbortController()
    const writing = Promise.all([write(ada, adas, stop.signal), write(bob, bobs, stop.signal)])
    for (const [index] of network.urls.entries()) {
      const drained = await new CommandProcess('node/main.ts', ['drain', '--json'], { env: network.settingsOf(index) })
        .ended
      expect(drained, drained.stderr).toMatchObject({ code: 0 })
      expect((JSON.parse(drained.stdout) as { milliseconds: number }).milliseconds).toBeLessThan(STOP_LIMIT_MS)
      expect(await network.processOf(index).ended).toMatchObject({ code: 0 })
      await network.startNode(index)
    }
    stop.abort()
    const [byAda, byBob] = await writing
    expect(byAda.length).toBeGreaterThan(20)
    for (const [from, fromConversation, to, toConversation, texts] of [
      [ada, adas, bob, bobs, byAda],
      [bob, bobs, ada, adas, byBob]
    ] as const) {
      await eventually(async () => (await page(to, toConversation, false)).length >= texts.length, {
        timeoutMs: WAIT_MS,
        lookMs: 100
      })
      expect((await page(to, toConversation, false)).map(({ text }) => text).sort()).toEqual([...texts].sort())
      await eventually(
        async () =>
          (await page(from, fromConversation, true)).every(({ state }) => state === 'sent' || state === 'delivered'),
        { timeoutMs: WAIT_MS, lookMs: 100 }
      )
    }
  })
})
