import { expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import { ARRAY, itemSpans, readHead, valueSpan } from '../../../protocol/directory/cbor-walker.ts'
import { decodeProof } from '../../../protocol/directory/proofs/proof.ts'
import { NodeProcess } from '../../support/network/real-processes/node-process.ts'
import { registerDevice, type TestDevice } from '../../support/sign-in.ts'

/** Body key of the slot in which a transaction's time to live ends (Cardano ledger, CDDL). */
const TIME_TO_LIVE_KEY = 3

async function firstTransaction(url: string, { accountId }: TestDevice): Promise<Uint8Array | undefined> {
  const answer = await fetch(`${url}/v1/accounts/${toHex(accountId)}/proof`)
  return decodeProof(new Uint8Array(await answer.arrayBuffer())).transactions[0]?.transaction
}

it('on a devnet a transaction that got lost is given up after minutes, not hours', async () => {
  const node = await NodeProcess.start()
  try {
    const device = await registerDevice(node.url, 'ada')
    await expect.poll(() => firstTransaction(node.url, device), { timeout: 60_000, interval: 300 }).toBeDefined()
    const transaction = (await firstTransaction(node.url, device))!
    const [body] = itemSpans(transaction, 0, ARRAY)
    const lastSlot = readHead(transaction, valueSpan(transaction, body!.start, TIME_TO_LIVE_KEY)!.start).argument
    // Slots are seconds at most, and this chain began a moment ago.
    expect(lastSlot).toBeGreaterThanOrEqual(300)
    expect(lastSlot).toBeLessThan(600)
  } finally {
    await node.dispose()
  }
})
