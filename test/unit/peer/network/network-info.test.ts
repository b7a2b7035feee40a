import { expect, test } from 'vitest'
import { parseNetworkInfo } from '../../../../peer/network/network-info.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'

interface Answer {
  epoch: { nodes: { url: string }[] }
}

const answerOf = async (network: FakeNetwork): Promise<Answer> =>
  (await (await network.fetch(`${network.url()}/v1/network`)).json()) as Answer

test.each([
  'http://127.0.0.1:6667',
  'http://127.0.0.1:0',
  'https://Node.example',
  'https://node.example.',
  'https://u@a.example'
])('a list with a node at %s is not taken, as no operator can configure it', async url => {
  const network = await FakeNetwork.create(2)
  const answer = await answerOf(network)
  expect(parseNetworkInfo(network.crypto, answer, network.url()).epoch.nodes).toHaveLength(2)
  answer.epoch.nodes[1]!.url = url
  expect(() => parseNetworkInfo(network.crypto, answer, network.url())).toThrow('not-a-node')
})
