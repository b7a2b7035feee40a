/** What the engine needs from its surroundings. Browser, Node and tests each bring their own. */
import type { SigningKey } from '../protocol/crypto/crypto.ts'
import type { NodeKey } from '../protocol/wire/placement.ts'

/** Time and timers. */
export interface Timers {
  /** Milliseconds since 1970 as the user's clock says, which may jump: for times that are stored, sent or shown. */
  now(): number
  /**
   * Milliseconds since some moment in the past, which never jump: for pauses, patience and "how long ago" within this process.
   * Only differences mean anything. The count may stop while the machine sleeps.
   */
  monotonic(): number
  /** Calls `run` once after `ms`. @returns a function that cancels it. */
  after(ms: number, run: () => void): () => void
}

/** One stream of whole frames to a node whose identity the transport has checked. */
export interface NodeStream {
  /** Key that the other end proved. */
  readonly node: NodeKey
  /** 32-byte Ed25519 key of this end: ephemeral, never the device's. */
  readonly clientKey: Uint8Array
  /** Queues a frame; resolves once the transport took it. Rejects when the stream has ended. */
  send(frame: Uint8Array): Promise<void>
  /** The next frame, or undefined once the stream has ended for whatever reason. */
  receive(): Promise<Uint8Array | undefined>
  /** Ends the stream and its connection at once. Safe to call twice. */
  close(): void
}

/** Opens frame streams to nodes. */
export interface Transport {
  /**
   * @param url - public origin of the node, such as `http://127.0.0.1:8787`.
   * @param key - the only identity accepted there.
   * @throws Error if the node cannot be reached, or is another one.
   */
  dial(url: string, key: NodeKey, options: { signal: AbortSignal }): Promise<NodeStream>
  stop(): Promise<void>
}

/** A change of one entry; `null` deletes. */
export interface StoreChange {
  key: string
  value: Uint8Array | null
}

/** An ordered map from text to bytes that survives the process. */
export interface KeyValueStore {
  get(key: string): Promise<Uint8Array | undefined>
  /**
   * All changes or none, after those of earlier batches.
   * @param options - `durable: false` resolves once this process may end, but before the power may: see {@link flush}.
   */
  batch(changes: StoreChange[], options?: { durable?: boolean }): Promise<void>
  /** Resolves once everything so far survives a power cut; a durable batch does the same. */
  flush(): Promise<void>
  /** Entries with `gte` <= key < `lt`, in order of their keys. */
  range(options: { gte: string; lt: string; reverse?: boolean; limit?: number }): Promise<[string, Uint8Array][]>
  /**
   * Rewrites the files that hold a range, so that only live entries are left in them. Absent where the platform has no such
   * call: browsers do it when they see fit.
   */
  compact?(from: string, to: string): Promise<void>
  close(): Promise<void>
}

/**
 * Keeps objects that are too large for the store: bytes that are encrypted already. What was appended is there after the process
 * ends; after a power cut only what came before the last {@link flush} is certain.
 */
export interface LocalObjects {
  /** Bytes that an object has; 0 for one that is not there. */
  size(name: string): Promise<number>
  /**
   * @param into - takes the bytes if it can: whoever reads much needs less memory with one buffer.
   * @returns fewer bytes than `length` only where the object ends.
   */
  read(name: string, start: number, length: number, into?: Uint8Array): Promise<Uint8Array>
  /** Adds bytes at the end; makes the object. A process that ends meanwhile may leave a part of them. */
  append(name: string, bytes: Uint8Array): Promise<void>
  /** Cuts an object to its first `size` bytes. */
  truncate(name: string, size: number): Promise<void>
  flush(name: string): Promise<void>
  /** Safe for one that is not there. */
  remove(name: string): Promise<void>
  names(): Promise<string[]>
  close(): Promise<void>
}

/** Seals values under a key that the platform protects. */
export interface AtRestCipher {
  /** @param name - bound to the value, so that sealed values cannot be swapped. */
  seal(name: string, value: Uint8Array): Promise<Uint8Array>
  /** @throws ProtocolError `DECRYPT_FAILED` if it was not sealed under this key and name. */
  open(name: string, sealed: Uint8Array): Promise<Uint8Array>
}

/** One key of the store's secrets. */
export interface SecretKey {
  /** 1 for the first key of a store, one more for each that replaces another. */
  readonly number: number
  /** When it was made, milliseconds since 1970. */
  readonly since: number
  readonly cipher: AtRestCipher
}

/** Keeps the keys of secrets outside the store, so that one can be destroyed whatever the store leaves in its files. */
export interface SecretKeys {
  /** Where they are, for messages. */
  readonly location: string
  /** The keys there are, oldest first: one, or two while it is replaced; none before the first. */
  load(): Promise<SecretKey[]>
  /** Makes a further key; on disk when it resolves. */
  add(number: number, since: number): Promise<SecretKey>
  /** Destroys the other keys; gone when it resolves. */
  keepOnly(number: number): Promise<void>
}

/** Keeps the device's signing key; in browsers the secret never leaves the platform. */
export interface KeyVault {
  /** @returns undefined while there is none. */
  load(): Promise<SigningKey | undefined>
  /** Makes the key; a device has one in its life. */
  create(): Promise<SigningKey>
}

/** The part of `fetch` that is used. */
export type HttpClient = (url: string, init?: RequestInit) => Promise<Response>

/** Where parts report what an operator of a client would look into. Ids and counts only. */
export interface Log {
  debug(message: string, details?: Record<string, unknown>): void
  warn(message: string, details?: Record<string, unknown>): void
}

/** Says nothing. */
export const SILENT_LOG: Log = { debug: () => {}, warn: () => {} }

const MAX_TIMEOUT_MS = 2 ** 31 - 1

/** The platform's clocks and timers. */
export const platformTimers: Timers = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => {
    // setTimeout fires a longer one at once. A caller that waits for so long looks at the time again.
    const timer = setTimeout(run, Math.min(ms, MAX_TIMEOUT_MS))
    return () => clearTimeout(timer)
  }
}
