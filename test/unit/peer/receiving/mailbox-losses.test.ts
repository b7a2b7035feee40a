import { afterEach, beforeEach, expect, test } from 'vitest'
import { SAME_LOSS_MS } from '../../../../peer/receiving/mailbox-losses.ts'
import type { SystemLine } from '../../../../peer/system-line.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

let network: FakeNetwork
let ada: TestPeer

beforeEach(async () => {
  network = await FakeNetwork.create(1)
  ada = new TestPeer(network)
  await ada.register('ada')
})

afterEach(() => ada.engine.stop())

/** Comes back to a network that lost something. @returns the system lines in the notes, oldest first. */
async function linesAfter(loss: FakeNetwork['loss']): Promise<(SystemLine | null)[]> {
  network.loss = loss
  const seen = network.lossSeen.length
  await ada.restart()
  await eventually(async () => network.lossSeen.length > seen, 'the node to hear that the loss was seen')
  return (await ada.messages(ada)).filter(({ kind }) => kind === 'system').map(({ line }) => line)
}

test('messages that the network deleted are told once, in one quiet line of the notes', async () => {
  const at = Date.now() - 5 * SAME_LOSS_MS
  const line = { kind: 'deleted', contacts: 3, requests: 2 }
  expect(await linesAfter({ contacts: 3, requests: 2, at })).toEqual([line])
  expect(network.lossSeen).toEqual([at])
  expect(await linesAfter({ contacts: 3, requests: 2, at })).toEqual([line])
})

test('another replica that tells the same loss adds no line, a later loss does', async () => {
  const at = Date.now() - 5 * SAME_LOSS_MS
  await linesAfter({ contacts: 3, requests: 0, at })
  expect(await linesAfter({ contacts: 2, requests: 0, at: at + SAME_LOSS_MS / 2 })).toHaveLength(1)
  expect((await linesAfter({ contacts: 1, requests: 0, at: at + 2 * SAME_LOSS_MS }))[1]).toMatchObject({ contacts: 1 })
})

test('a node whose clock is ahead cannot silence losses to come', async () => {
  await linesAfter({ contacts: 1, requests: 0, at: Date.now() + 1_000 * SAME_LOSS_MS })
  ada.slept = 3 * SAME_LOSS_MS
  expect(await linesAfter({ contacts: 1, requests: 0, at: Date.now() + 2 * SAME_LOSS_MS })).toHaveLength(2)
})
