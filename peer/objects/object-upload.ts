/**
 * Hands one object to one node. The node says which parts it has, so an upload goes on where an earlier one ended, whichever
 * side was started again meanwhile. A small object goes in one request.
 */
import { OBJECT_PART_BYTES } from '../../protocol/limits.ts'
import type { ObjectClient, ObjectHash, ObjectPurpose, UploadName } from './object-client.ts'
import { ObjectRefusal, type ObjectNode } from './signed-requests.ts'

/** Parts that are on their way at a time. */
const PARTS_AT_ONCE = 4
/** Times that parts are sent because the node misses some at the end. */
const MAX_ROUNDS = 3

/** An object of this device that is to be stored elsewhere. It may still be in the making. */
export interface Outgoing {
  /** Names the upload, so that it goes on after a restart. */
  name: UploadName
  /** Resolves once the object is whole. */
  hash: () => Promise<ObjectHash>
  /** Reads bytes of the stored form, into a buffer if it can; waits until they are there. */
  read: (start: number, length: number, into?: Uint8Array) => Promise<Uint8Array>
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
  { name, hash, size, purpose, read }: Outgoing,
  { signal, mayBeThere, onProgress }: UploadOptions
): Promise<void> {
  if (size <= OBJECT_PART_BYTES && !mayBeThere) {
    await client.put(node, await hash(), purpose, await read(0, size), signal)
    return onProgress?.(size)
  }
  // What no node has may still be in the making.
  const known = mayBeThere ? await hash() : undefined
  for (let round = 1; ; round++) {
    const { stored, received, partBytes } = await client.begin(node, name, { size, purpose, hash: known }, signal)
    if (stored) return onProgress?.(size)
    const partCount = Math.ceil(size / partBytes)
    const lengthOf = (index: number): number => Math.max(0, Math.min(partBytes, size - index * partBytes))
    const there = new Set(received)
    let done = received.reduce((sum, index) => sum + lengthOf(index), 0)
    onProgress?.(done)
    const missing = Array.from({ length: partCount }, (_, index) => index).filter(index => !there.has(index))
    await inParallel(missing, async (index, buffer) => {
      const part = await read(index * partBytes, lengthOf(index), buffer)
      await client.putPart(node, name, index, part, signal)
      onProgress?.((done += part.length))
    })
    try {
      return await client.complete(node, name, await hash(), signal)
    } catch (error) {
      // Another process, or the node after a damage, has dropped parts.
      const mayMiss = error instanceof ObjectRefusal && (error.code === 'incomplete' || error.code === 'malformed')
      if (!mayMiss || round >= MAX_ROUNDS) throw error
    }
  }
}

/**
 * Runs a few at a time. The first failure ends it, after what is under way. Each worker has one buffer: a part that a node has
 * acknowledged is not needed any more, and new memory for each would keep the collector busy.
 */
async function inParallel(
  items: readonly number[],
  work: (item: number, buffer: Uint8Array) => Promise<void>
): Promise<void> {
  let next = 0
  let hasFailed = false
  const worker = async (): Promise<void> => {
    const buffer = new Uint8Array(OBJECT_PART_BYTES)
    while (next < items.length && !hasFailed) {
      try {
        await work(items[next++]!, buffer)
      } catch (error) {
        hasFailed = true
        throw error
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(PARTS_AT_ONCE, items.length) }, worker))
  const failure = ended.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined
  if (failure) throw failure.reason
}
