import { expect, test } from 'vitest'
import { runDeviceCrowd } from '../../../support/peer/device-crowd.ts'

test('two people with three devices each see everything once and in order, whatever the network and the devices do', async () => {
  const report = await runDeviceCrowd({
    seed: 11,
    messages: 40,
    devices: 3,
    budgetMs: 30_000,
    joinsInTheMiddle: false,
    clockHours: [0]
  })
  expect(report).toMatchObject({ lost: 0, twice: 0, disordered: 0, unreadable: 0, examples: [] })
}, 300_000)
