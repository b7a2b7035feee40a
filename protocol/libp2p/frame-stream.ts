import type { Stream } from '@libp2p/interface'
import { concatBytes } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'

/** Bounds of a {@link FrameStream}. */
export interface FrameStreamInit {
  /** Longest frame that is read; see {@link FrameStream.allowFrames}. */
  maxFrameBytes: number
  /** Bytes that may wait to be written; a peer that reads slower is cut off. */
  maxWaitingBytes: number
  /** Calls back a moment later, so that frames of that moment are written together; by default each is at once. */
  later?: (write: () => void) => void
}

/** Bytes that are read ahead of the consumer before the peer is told to wait. */
const READ_AHEAD_BYTES = 256 * 1024
/** Bytes that are written at once. */
const WRITE_CHUNK_BYTES = 64 * 1024
/** Bytes of the longest length prefix: 4 GiB is far above any frame. */
const MAX_PREFIX_BYTES = 5

type Chunk = Uint8Array | { subarray(): Uint8Array }

/**
 * Frames on a libp2p stream, each behind its length as an unsigned varint: what `lpStream` of @libp2p/utils writes and
 * reads. Unlike it this one lets the peer wait when the consumer is slow, refuses a length before a byte of the frame is
 * kept, cuts off peers that do not read, and can write together what came in one turn of the event loop.
 */
export class FrameStream {
  readonly #stream: Stream
  readonly #maxWaiting: number
  readonly #later: (write: () => void) => void
  #maxFrame: number
  /** What has come and is not yet read, oldest first. */
  #chunks: Uint8Array[] = []
  #buffered = 0
  #paused = false
  #ended = false
  #failure: Error | undefined
  #wake: (() => void) | undefined
  #outgoing: Uint8Array[] = []
  #outgoingBytes = 0
  #isWriting = false

  constructor(stream: Stream, init: FrameStreamInit) {
    this.#stream = stream
    this.#maxFrame = init.maxFrameBytes
    this.#maxWaiting = init.maxWaitingBytes
    this.#later = init.later ?? (write => write())
    stream.addEventListener('message', event => {
      // An event listener that throws ends the process, not the stream.
      this.#guard(() => this.#onData((event as { data: Chunk }).data))
    })
    for (const end of ['close', 'remoteCloseWrite'] as const) {
      stream.addEventListener(end, () => {
        // What the stream has kept back is still to be read.
        this.#letFlow()
        this.#end()
      })
    }
  }

  /** Changes the longest frame that is read from now on. */
  allowFrames(maxFrameBytes: number): void {
    this.#maxFrame = maxFrameBytes
  }

  /**
   * The next frame.
   * @returns undefined once the stream has ended.
   * @throws ProtocolError `TOO_LARGE` or `MALFORMED` for a length that is not accepted.
   */
  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const frame = this.#nextFrame()
      if (frame !== undefined) return frame
      if (this.#failure) throw this.#failure
      if (this.#ended) return undefined
      if (this.#paused) {
        // What was kept back comes at once: it has to be read before the caller waits for more.
        this.#letFlow()
        continue
      }
      await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }

  /** Queues a frame. @returns false if the stream is closed, or was cut off because too much waits. */
  send(frame: Uint8Array): boolean {
    if (this.#stream.status !== 'open') return false
    if (this.waitingBytes + frame.length > this.#maxWaiting) {
      this.abort(new Error('the peer does not read'))
      return false
    }
    this.#outgoing.push(prefixOf(frame.length), frame)
    this.#outgoingBytes += frame.length
    if (!this.#isWriting) {
      this.#isWriting = true
      this.#later(() => this.#write())
    }
    return true
  }

  /** Bytes that the peer has not taken yet. */
  get waitingBytes(): number {
    return this.#outgoingBytes + ((this.#stream as { writeBufferLength?: number }).writeBufferLength ?? 0)
  }

  /** Writes what waits and closes the stream. @param options - with a signal that ends the wait; what is left is lost then. */
  async close(options: Parameters<Stream['close']>[0]): Promise<void> {
    this.#write()
    await this.#stream.close(options).catch((error: Error) => this.abort(error))
  }

  /** Ends the stream at once; nothing that waits is sent. */
  abort(error: Error): void {
    this.#takeOutgoing()
    this.#stream.abort(error)
    this.#end()
  }

  #write(): void {
    const parts = this.#takeOutgoing()
    if (parts.length === 0 || this.#stream.status !== 'open') return
    try {
      for (let from = 0; from < parts.length;) {
        let to = from
        for (let size = 0; to < parts.length && size < WRITE_CHUNK_BYTES; to++) size += parts[to]!.length
        this.#stream.send(concatBytes(...parts.slice(from, to)))
        from = to
      }
    } catch (error) {
      this.abort(error as Error)
    }
  }

  #takeOutgoing(): Uint8Array[] {
    const parts = this.#outgoing
    this.#outgoing = []
    this.#outgoingBytes = 0
    this.#isWriting = false
    return parts
  }

  #onData(data: Chunk): void {
    const chunk = data instanceof Uint8Array ? data : data.subarray()
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    // A frame that is not whole yet is waited for, with its length before it.
    if (this.#buffered > Math.max(READ_AHEAD_BYTES, this.#maxFrame + MAX_PREFIX_BYTES)) this.#holdBack()
    this.#wakeUp()
  }

  #holdBack(): void {
    if (this.#paused || this.#stream.readStatus !== 'readable') return
    this.#paused = true
    this.#stream.pause()
  }

  #letFlow(): void {
    if (!this.#paused) return
    this.#paused = false
    // The connection below may have closed without a word to this stream; it throws then.
    this.#guard(() => {
      if (this.#stream.readStatus === 'paused') this.#stream.resume()
    })
  }

  /** Does something to the stream; a failure ends the stream and goes no further. */
  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.abort(error as Error)
    }
  }

  #nextFrame(): Uint8Array | undefined {
    const prefix = this.#prefix()
    if (prefix === undefined) return undefined
    const [length, size] = prefix
    if (this.#buffered < size + length) return undefined
    const all = this.#consume(size + length)
    return all.subarray(size)
  }

  /** Length of the next frame and of its prefix; undefined if it has not come yet. */
  #prefix(): [number, number] | undefined {
    let length = 0
    let scale = 1
    for (let i = 0; i < MAX_PREFIX_BYTES; i++) {
      const byte = this.#byteAt(i)
      if (byte === undefined) return undefined
      length += (byte & 0x7f) * scale
      if (length > this.#maxFrame) throw this.#fail('TOO_LARGE', `a frame has at most ${this.#maxFrame} bytes`)
      if (byte < 0x80) return [length, i + 1]
      scale *= 128
    }
    throw this.#fail('MALFORMED', 'the length of a frame is malformed')
  }

  #fail(code: 'TOO_LARGE' | 'MALFORMED', message: string): Error {
    this.#failure ??= new ProtocolError(code, message)
    return this.#failure
  }

  #byteAt(index: number): number | undefined {
    let left = index
    for (const chunk of this.#chunks) {
      if (left < chunk.length) return chunk[left]
      left -= chunk.length
    }
    return undefined
  }

  /** Takes bytes from the front; without copying where one chunk has them all. */
  #consume(length: number): Uint8Array {
    this.#buffered -= length
    const first = this.#chunks[0]!
    if (first.length > length) {
      this.#chunks[0] = first.subarray(length)
      return first.subarray(0, length)
    }
    const taken: Uint8Array[] = []
    let left = length
    while (left > 0) {
      const chunk = this.#chunks.shift()!
      taken.push(chunk.length > left ? chunk.subarray(0, left) : chunk)
      if (chunk.length > left) this.#chunks.unshift(chunk.subarray(left))
      left -= Math.min(left, chunk.length)
    }
    return taken.length === 1 ? taken[0]! : concatBytes(...taken)
  }

  #end(): void {
    this.#ended = true
    this.#wakeUp()
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}

/** The unsigned varint of a length. */
function prefixOf(length: number): Uint8Array {
  const bytes: number[] = []
  let left = length
  for (; left >= 0x80; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80)
  bytes.push(left)
  return Uint8Array.from(bytes)
}
