import { describe, expect, it } from 'vitest'
import { diskFullProblem, fillDisk } from '../../chaos/disk-full.ts'
import { SERVICE_KINDS } from '../../chaos/service-stores.ts'

describe.skipIf(diskFullProblem())('a disk that is full for a moment', () => {
  it('loses nothing that a store acknowledged: registrations, records, the queue, keys, the FINAL log', async () => {
    const { acknowledged, acknowledgedAfter, lost } = await fillDisk()
    expect(lost).toEqual([])
    expect(acknowledged).toBeGreaterThanOrEqual(40 * SERVICE_KINDS.length)
    // A store that failed once says so from then on: the node ends, and starts again once there is room.
    expect(acknowledgedAfter).toBe(0)
  })
})
