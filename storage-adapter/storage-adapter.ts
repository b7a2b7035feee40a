/**
 * The one port to storages of objects. What is stored is encrypted by devices before it comes here; an adapter sees random
 * bytes and treats them so.
 *
 * `test/support/storage/conformance.ts` is the contract in executable form; every adapter passes it.
 */
import type { Brand } from '../protocol/brand.ts'
import { StorageError } from './errors.ts'

/** What an adapter calls an object. Opaque: only the adapter that made it reads it. Keep it, never show it to peers. */
export type StorageReference = Brand<string, 'StorageReference'>

/** The caller's name of an object: 1 to {@link MAX_OBJECT_NAME_LENGTH} of `a-z`, `0-9`, `-` and `_`. */
export type ObjectName = Brand<string, 'ObjectName'>

/** Longest name, in characters. */
export const MAX_OBJECT_NAME_LENGTH = 128

/** Bytes as they come; nobody holds all of them. A consumer that stops early ends the transfer. */
export type ByteStream = AsyncIterable<Uint8Array>

/** What is to be stored. */
export interface NewObject {
  /** A name stands for the same bytes for ever: callers derive it from the content, or draw it at random. */
  name: ObjectName
  /** Exact number of bytes. */
  size: number
  /** SHA-256 of the content, 32 bytes. An adapter refuses content that does not match. */
  sha256: Uint8Array
  /** Opens the content at its start; an adapter that tries again opens it again. */
  content: () => ByteStream
}

/** What a storage holds. */
export interface StoredObject {
  reference: StorageReference
  name: ObjectName
  /** Bytes. */
  size: number
}

/** Ends a call early: the call rejects with the signal's reason. */
export interface Cancellable {
  signal?: AbortSignal | undefined
}

export interface StorageAdapter {
  /** Which storage this is, with the version of its interface, such as `iagon-v2`. */
  readonly name: string
  /** Largest object, in bytes. */
  readonly maxObjectBytes: number

  /**
   * Stores an object, all of it or nothing. A name that is stored already with the same size is not stored again: the
   * answer is the object that is there.
   *
   * @throws StorageError `too-large`, `quota`, `unauthorised`, `rate-limited`, `unavailable`; `corrupt` if the content has
   * another size or hash than announced; `conflict` if the name has another size in the storage.
   */
  put(object: NewObject, options?: Cancellable): Promise<StoredObject>

  /**
   * Stores an object whose file is on this machine's disk already, in the form that this storage keeps, whole and synced; the file
   * is moved, or left where the object is stored already. Only storages with such files have this.
   *
   * @param object - the caller has compared the hash of the file's content.
   * @throws StorageError as {@link put}.
   */
  adopt?(object: Pick<NewObject, 'name' | 'size'>, path: string): Promise<StoredObject>

  /**
   * The whole object. The stream fails with `corrupt` when bytes are missing; it never ends early without an error. An
   * adapter may not notice changed bytes: callers compare the hash.
   * @throws StorageError `not-found`, `unauthorised`, `rate-limited`, `unavailable`, `corrupt`.
   */
  get(reference: StorageReference, options?: Cancellable): Promise<ByteStream>

  /**
   * Some bytes of an object.
   * @param start - first byte, from 0.
   * @param length - at least 1; the range must lie inside the object.
   * @throws StorageError as {@link get}, and `invalid` for a range outside the object.
   */
  range(reference: StorageReference, start: number, length: number, options?: Cancellable): Promise<ByteStream>

  /**
   * Removes an object. One that is not there counts as removed.
   * @throws StorageError `unauthorised`, `rate-limited`, `unavailable`.
   */
  delete(reference: StorageReference, options?: Cancellable): Promise<void>

  /** Every complete object whose name begins with `prefix`, in no order, each once. */
  list(prefix: string, options?: Cancellable): AsyncIterable<StoredObject>

  /**
   * Asks the storage whether it would serve us now.
   * @throws StorageError what is wrong.
   */
  health(options?: Cancellable): Promise<void>
}

/** @throws StorageError `invalid`. */
export function parseObjectName(text: string): ObjectName {
  if (/^[a-z0-9_-]{1,128}$/.test(text)) return text as ObjectName
  throw new StorageError('invalid', `an object name has 1 to ${MAX_OBJECT_NAME_LENGTH} of a-z, 0-9, - and _`)
}
