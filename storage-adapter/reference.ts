/** How the adapters write their references: `<adapter>:<size>:<id>`. Callers treat the text as opaque. */
import { StorageError } from './errors.ts'
import type { StorageReference } from './storage-adapter.ts'

/** Longest reference, in characters. */
const MAX_REFERENCE_LENGTH = 512

/** Makes a reference. The size is inside, so that a short answer is noticed without another request. */
export function makeReference(adapter: string, size: number, id: string): StorageReference {
  return `${adapter}:${size}:${id}` as StorageReference
}

/**
 * Reads a reference of one adapter.
 * @param id - what the adapter's own ids look like, for the whole text: an id ends up in a path or a URL.
 * @throws StorageError `invalid` for a reference of another adapter, or one that this adapter never made.
 */
export function readReference(adapter: string, reference: StorageReference, id: RegExp): { size: number; id: string } {
  const parts = reference.length <= MAX_REFERENCE_LENGTH ? /^([a-z0-9-]+):(\d{1,15}):(.+)$/.exec(reference) : null
  if (parts?.[1] !== adapter || !id.test(parts[3]!)) {
    throw new StorageError('invalid', `the reference is not one of ${adapter}`)
  }
  return { size: Number(parts[2]), id: parts[3]! }
}

/** @throws StorageError `invalid` for a range that does not lie inside the object. */
export function requireRange(size: number, start: number, length: number): void {
  const isInside = Number.isSafeInteger(start) && Number.isSafeInteger(length) && start >= 0 && length >= 1
  if (isInside && start + length <= size) return
  throw new StorageError('invalid', `the range ${start} + ${length} is outside of an object of ${size} bytes`)
}
