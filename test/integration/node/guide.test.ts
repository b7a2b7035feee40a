/** The short form of `npm run campaign -- guide`: one node as the operators' guide sets it up, and two people on it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GuideNetwork } from '../../support/guide/guide-network.ts'
import { converse, disposePeer, type NetworkPeer } from '../../support/network/real-processes/network-peers.ts'
import { eventually } from '../../support/wait-for.ts'

let network: GuideNetwork
const people: NetworkPeer[] = []
beforeAll(async () => {
  network = await GuideNetwork.start({ nodes: 1 })
})
afterAll(async () => {
  await Promise.all(people.map(disposePeer))
  await network?.stop()
})

describe('a node that is set up by the guide', () => {
  it('registers people through their provider and lets them chat, all by TLS', async () => {
    people.push(...(await Promise.all(['ada', 'bob'].map(name => network.register(0, name)))))
    const [ada, bob] = people as [NetworkPeer, NetworkPeer]
    const conversation = await converse(ada, bob)
    await ada.engine.messages.sendText(conversation, 'over wss')
    await eventually(async () => {
      const [first] = (await bob.engine.snapshot()).conversations
      if (first === undefined) return false
      return (await bob.engine.messages.page(first.id)).some(({ text }) => text === 'over wss')
    }, 'the message')
  })

  it('finds nothing to change when its operator asks', async () => {
    const { stdout } = await network.command(0, 'doctor', '--json')
    const { findings } = JSON.parse(stdout) as { findings: { check: string; result: string; message: string }[] }
    const wrong = findings.filter(({ result }) => result === 'fail')
    expect(wrong, JSON.stringify(wrong)).toEqual([])
    for (const check of ['tls', 'dial', 'websocket']) {
      expect(findings.find(each => each.check === check)).toMatchObject({ result: 'ok' })
    }
  })
})
