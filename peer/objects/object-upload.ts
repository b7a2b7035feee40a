/**
 * Hands one object to one node. The node says which parts it has, so an upload goes on where an earlier one ended, whichever
 * side was started again meanwhile. A small object goes in one request.
 */
import { OBJECT_PART_BYTES } from '../../protocol/limits.ts'
import type { ObjectClient, ObjectHash, ObjectPurpose } from './object-client.ts'
import { ObjectRefusal, type ObjectNode } from './signed-requests.ts'

/** Parts that are on their way at a time. */
const PARTS_AT_ONCE = 4
/** Times that parts are sent because the node misses some at the end. */
const MAX_ROUNDS = 3

/** An object of this device that is to be stored elsewhere. */
export interface Outgoing {
  hash: ObjectHash
  /** Reads bytes of the stored form. */
  read: (start: number, length: number) => Promise<Uint8Array>
  size: number
  purpose: ObjectPurpose
}

export interface UploadOptions {
  signal: AbortSignal
  /** Whether the node may have it: then it is asked before a small object is sent. */
  mayBeThere: boolean
  /** Bytes that the node has. */
  onProgress?: (doneBytes: number) => void
}

/**
 * Resolves once the node has stored the object.
 * @throws PeerError `offline`, `bad-answer`; {@link ObjectRefusal}; the signal's reason.
 */
export async function uploadObject(
  client: ObjectClient,
  node: ObjectNode,
  { hash, size, purpose, read }: Outgoing,
  { signal, mayBeThere, onProgress }: UploadOptions
): Promise<void> {
  if (size <= OBJECT_PART_BYTES && !mayBeThere) {
    await client.put(node, hash, purpose, await read(0, size), signal)
    return onProgress?.(size)
  }
  for (let round = 1; ; round++) {
    const { stored, received, partBytes } = await client.begin(node, hash, { size, purpose }, signal)
    if (stored) return onProgress?.(size)
    const partCount = Math.ceil(size / partBytes)
    const lengthOf = (index: number): number => Math.max(0, Math.min(partBytes, size - index * partBytes))
    const there = new Set(received)
    let done = received.reduce((sum, index) => sum + lengthOf(index), 0)
    onProgress?.(done)
    const missing = Array.from({ length: partCount }, (_, index) => index).filter(index => !there.has(index))
    await inParallel(missing, async index => {
      const part = await read(index * partBytes, lengthOf(index))
      await client.putPart(node, hash, index, part, signal)
      onProgress?.((done += part.length))
    })
    try {
      return await client.complete(node, hash, signal)
    } catch (error) {
      // Another process, or the node after a damage, has dropped parts.
      const mayMiss = error instanceof ObjectRefusal && (error.code === 'incomplete' || error.code === 'malformed')
      if (!mayMiss || round >= MAX_ROUNDS) throw error
    }
  }
}

/** Runs a few at a time. The first failure ends it, after what is under way. */
async function inParallel(items: readonly number[], work: (item: number) => Promise<void>): Promise<void> {
  let next = 0
  let hasFailed = false
  const worker = async (): Promise<void> => {
    while (next < items.length && !hasFailed) {
      try {
        await work(items[next++]!)
      } catch (error) {
        hasFailed = true
        throw error
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: PARTS_AT_ONCE }, worker))
  const failure = ended.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined
  if (failure) throw failure.reason
}
