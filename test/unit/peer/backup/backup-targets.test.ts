import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import { OBJECT_PART_BYTES } from '../../../../protocol/limits.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import type { NodeKey } from '../../../../protocol/wire/placement.ts'
import { BackupTargets } from '../../../../peer/backup/backup-targets.ts'
import type { ObjectClient } from '../../../../peer/objects/object-client.ts'
import type { ObjectNodes } from '../../../../peer/objects/object-nodes.ts'
import { ObjectRefusal } from '../../../../peer/objects/signed-requests.ts'
import type { LocalObjects } from '../../../../peer/ports.ts'

const PARTS = 12
const bytes = new Uint8Array(PARTS * OBJECT_PART_BYTES)
const OBJECT = {
  hash: new Uint8Array(32),
  storedBytes: bytes.length,
  read: async (start: number, length: number) => bytes.subarray(start, start + length)
}

/** One node that keeps parts, and fails when the test says so. */
function targets(fails: { part?: (index: number, attempt: number) => boolean; complete?: () => boolean }) {
  const parts = new Set<number>()
  const seen = { pauses: 0, attempts: 0, completed: 0 }
  const busy = (): never => {
    throw new ObjectRefusal('busy')
  }
  const client = {
    begin: async () => {
      seen.attempts++
      return { stored: false, received: [...parts], partBytes: OBJECT_PART_BYTES }
    },
    putPart: async (_node: unknown, _hash: string, index: number) => {
      if (fails.part?.(index, seen.attempts)) busy()
      parts.add(index)
    },
    complete: async () => {
      if (fails.complete?.()) busy()
      seen.completed++
    }
  } as unknown as ObjectClient
  const node = { key: new Uint8Array(32) as Uint8Array as NodeKey, url: 'http://127.0.0.1:9' }
  const nodes = { forUpload: () => [node] } as unknown as ObjectNodes
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
  const env = { crypto: createNodeCrypto(), network: new Uint8Array(32) as NetworkId, random, now: () => 0 }
  const pause = async (): Promise<void> => void seen.pauses++
  const { signal } = new AbortController()
  return { seen, targets: new BackupTargets({ env, client, objects: {} as LocalObjects, nodes, pause, signal }, []) }
}

describe('an object on its way into a backup', () => {
  test('is tried again as long as the node gets on with it, however often that fails', async () => {
    // Each attempt brings one part further.
    const { seen, targets: into } = targets({ part: (index, attempt) => index >= attempt })
    expect(await into.keep(OBJECT, false)).toBe(true)
    expect(seen).toMatchObject({ completed: 1, pauses: PARTS - 1 })
  })

  test('is given up at a node that has every part and never stores it', async () => {
    const { seen, targets: into } = targets({ complete: () => true })
    await expect(into.keep(OBJECT, false)).rejects.toBeInstanceOf(ObjectRefusal)
    expect(seen.pauses).toBeLessThan(10)
    expect(into.nodes).toEqual([])
  })
})
