/**
 * Finds words in all messages of this device. What messages say lies sealed on disk in blocks, folded; the first search reads
 * the blocks into memory, and every search looks through the whole text. So it finds parts of words, in any script, and needs no
 * rules of any language. docs/peer.md says what that costs.
 *
 * A row that appears or changes marks its bucket as due, on disk and in memory. A due bucket is read from the message log before
 * the next search; its blocks are written a little later, in units of work of their own, and the mark goes with them.
 */
import { toHex } from '../../protocol/bytes.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import { fromHex } from '../../protocol/bytes.ts'
import type { TextIndex } from '../history/text-index.ts'
import type { Log, Timers } from '../ports.ts'
import { blocksId, searchBlockEntry, searchDueEntry, searchSlots } from '../store/search-slots.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import { messageEntry } from '../store/conversation-entries.ts'
import { bucketOf } from '../store/message-order.ts'
import { blocksOf, boundsOf, type OrderedRow } from './search-buckets.ts'
import { TextBlock, type FoundRow } from './text-block.ts'

/** Blocks are written this long after a start, so that the first search finds them. */
export const WRITE_DELAY_MS = 20_000
/** Rows that are read at a time while the buckets of a whole conversation are listed. */
const ROWS_AT_ONCE = 500

interface Bucket {
  /** Lower-case hex. */
  conversation: string
  bucket: string
}

export interface SearchIndexComponents {
  states: StateStore
  timers: Pick<Timers, 'after'>
  log: Log
}

export class SearchIndex implements TextIndex {
  readonly #components: SearchIndexComponents
  /** By bucket, each in parts; undefined before the first search. */
  #blocks: Map<string, TextBlock[]> | undefined
  #loading: Promise<void> | undefined
  /** What memory does not have as the log has it. */
  readonly #stale = new Map<string, Bucket>()
  #writing: Promise<void> | undefined
  #isStopped = false
  #cancelTimer: (() => void) | undefined

  constructor(components: SearchIndexComponents) {
    this.#components = components
  }

  /** Writes the blocks that are due, after a while. */
  start(): void {
    this.#isStopped = false
    this.#cancelTimer = this.#components.timers.after(WRITE_DELAY_MS, () => this.#writeSoon())
  }

  /** Waits for a write under way. Safe to call twice. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelTimer?.()
    await this.#loading?.catch(() => undefined)
    await this.#writing
  }

  async rowAppeared(unit: UnitOfWork, conversation: string, order: string): Promise<void> {
    const bucket = bucketOf(order)
    const slot = searchSlots.due(conversation, bucket)
    if (!(await unit.read(slot))) unit.write(slot, { conversationId: idOf(conversation), bucket })
    unit.after(() => this.#stale.set(blocksId(conversation, bucket), { conversation, bucket }))
  }

  async textChanged(unit: UnitOfWork, conversation: string, order: string): Promise<void> {
    await this.rowAppeared(unit, conversation, order)
    const bucket = bucketOf(order)
    const blocks = await unit.range('search-block', blocksId(conversation, bucket), searchBlockEntry)
    for (const { value } of blocks) unit.remove(searchSlots.block(conversation, bucket, value.part))
  }

  /**
   * The newest messages that have every word, newest first.
   * @param words - folded, at least one.
   */
  async find(words: readonly string[], limit: number, conversation?: string): Promise<FoundRow[]> {
    const blocks = await this.#upToDate()
    const longestFirst = words.toSorted((a, b) => b.length - a.length)
    const newestFirst = blocks
      .filter(block => conversation === undefined || block.conversation === conversation)
      .sort((a, b) => b.newest - a.newest)
    let found: FoundRow[] = []
    for (const block of newestFirst) {
      // Enough is found that is newer than all of this block, and of those after it.
      if (found.length >= limit && block.newest <= found[limit - 1]!.sentAt) break
      const more = block.find(longestFirst)
      if (more.length > 0) found = [...found, ...more].sort((a, b) => b.sentAt - a.sentAt).slice(0, limit)
    }
    this.#writeSoon()
    return found
  }

  /** Date of the oldest message that is searched; null if there is none. */
  async since(): Promise<number | null> {
    const blocks = await this.#upToDate()
    return blocks.length === 0 ? null : blocks.reduce((oldest, block) => Math.min(oldest, block.oldest), Infinity)
  }

  async #upToDate(): Promise<TextBlock[]> {
    if (!this.#blocks) {
      this.#loading ??= this.#load().finally(() => (this.#loading = undefined))
      await this.#loading
    }
    const blocks = this.#blocks!
    for (const [key, bucket] of this.#stale) {
      // First: what changes while the rows are read is read again.
      this.#stale.delete(key)
      const parts = blocksOf(bucket.conversation, bucket.bucket, await this.#rowsOf(bucket))
      blocks.set(
        key,
        parts.map(part => new TextBlock(bucket.conversation, part))
      )
    }
    return [...blocks.values()].flat()
  }

  async #load(): Promise<void> {
    const { states } = this.#components
    for (const due of await this.#due()) this.#stale.set(blocksId(due.conversation, due.bucket), due)
    const blocks = new Map<string, TextBlock[]>()
    for (const block of await states.all('search-block', searchBlockEntry)) {
      const conversation = toHex(block.conversationId)
      const key = blocksId(conversation, block.bucket)
      blocks.set(key, [...(blocks.get(key) ?? []), new TextBlock(conversation, block)])
    }
    this.#blocks = blocks
  }

  /** The buckets that are due. A mark for a whole conversation becomes marks for its buckets first. */
  async #due(): Promise<Bucket[]> {
    const marks = await this.#components.states.all('search-due', searchDueEntry)
    const due = marks.map(({ conversationId, bucket }) => ({ conversation: toHex(conversationId), bucket }))
    const whole = due.filter(({ bucket }) => bucket === '')
    for (const { conversation } of whole) await this.#markBuckets(conversation)
    return whole.length === 0 ? due : this.#due()
  }

  async #markBuckets(conversation: string): Promise<void> {
    const { states } = this.#components
    const buckets = new Set<string>()
    for (let before: string | undefined; ;) {
      const options = { reverse: true, limit: ROWS_AT_ONCE, ...(before !== undefined && { before }) }
      const rows = await states.range('message', conversation, messageEntry, options)
      for (const { order } of rows) buckets.add(bucketOf(order))
      if (rows.length < ROWS_AT_ONCE) break
      before = rows.at(-1)!.order
    }
    await states.unit(async unit => {
      const conversationId = idOf(conversation)
      for (const bucket of buckets) unit.write(searchSlots.due(conversation, bucket), { conversationId, bucket })
      unit.remove(searchSlots.due(conversation, ''))
    })
  }

  #rowsOf({ conversation, bucket }: Bucket): Promise<OrderedRow[]> {
    return this.#components.states.range('message', conversation, messageEntry, boundsOf(bucket))
  }

  #writeSoon(): void {
    if (this.#isStopped) return
    this.#writing ??= this.#writeDue()
      .catch((error: unknown) =>
        this.#components.log.warn('the search index could not be written', { reason: String(error) })
      )
      .finally(() => (this.#writing = undefined))
  }

  async #writeDue(): Promise<void> {
    const { states } = this.#components
    for (const bucket of await this.#due()) {
      if (this.#isStopped) return
      await states.unit(unit => this.#write(unit, bucket), { durable: false })
    }
  }

  /** Units run one after the other: no message can come between the read of the rows and the end of the mark. */
  async #write(unit: UnitOfWork, bucket: Bucket): Promise<void> {
    const { conversation } = bucket
    const blocks = blocksOf(conversation, bucket.bucket, await this.#rowsOf(bucket))
    const before = await unit.range('search-block', blocksId(conversation, bucket.bucket), searchBlockEntry)
    for (const { value } of before) unit.remove(searchSlots.block(conversation, bucket.bucket, value.part))
    for (const block of blocks) unit.write(searchSlots.block(conversation, bucket.bucket, block.part), block)
    unit.remove(searchSlots.due(conversation, bucket.bucket))
  }
}

const idOf = (conversation: string): ConversationId => fromHex(conversation) as ConversationId
