import { describe, expect, it } from 'vitest'
import { runHttpFuzz } from './campaigns/http-fuzz.ts'

/** A few seconds' worth; the campaign takes a million. */
const REQUESTS = 3_000

describe("a node's ports", () => {
  it('outlive spoilt requests and upgrades: no fault of the node, nothing logged, no descriptor kept', async () => {
    const { failures, requests, statuses } = await runHttpFuzz({ seed: 1, requests: REQUESTS })
    expect(failures).toEqual([])
    expect(requests).toBe(REQUESTS)
    for (const status of ['101', '200', '400', '404']) expect(statuses[status], status).toBeGreaterThan(0)
  }, 120_000)
})
