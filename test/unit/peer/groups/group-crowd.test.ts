/** A form of the campaign `groups` that takes seconds. */
import { expect, test } from 'vitest'
import { runGroupCrowd } from '../../../support/peer/group-crowd.ts'

test('a group sees everything once and in order, and the same members, whatever the network, the devices and the clocks do', async () => {
  const report = await runGroupCrowd({
    seed: 5,
    messages: 9,
    people: 3,
    maxDevices: 1,
    changes: 2,
    budgetMs: Infinity,
    settleMs: 4 * 60 * 60_000,
    clockHours: [-7, 0, 0, 5],
    speed: 200,
    loss: 0
  })
  const faults = { lost: 0, twice: 0, disordered: 0, unreadable: 0, otherMembers: 0, examples: [] }
  expect(report).toMatchObject({ ...faults, sent: 9, nodesKilled: 1, joined: 1, left: 1 })
}, 300_000)
