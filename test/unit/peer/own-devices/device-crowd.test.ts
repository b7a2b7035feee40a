import { expect, test } from 'vitest'
import { runDeviceCrowd } from '../../../support/peer/device-crowd.ts'

test('two people with two devices each see everything once and in order, whatever the network, the devices and the clocks do', async () => {
  const report = await runDeviceCrowd({
    seed: 13,
    messages: 24,
    devices: 2,
    changes: 1,
    budgetMs: 60_000,
    settleMs: 4 * 60 * 60_000,
    clockHours: [-7, 0, 0, 5],
    speed: 200
  })
  expect(report).toMatchObject({ lost: 0, twice: 0, disordered: 0, unreadable: 0, examples: [], joined: 3, left: 1 })
}, 300_000)
