/** A source whose lists have flaws, such as a server shows that is overloaded, is rebuilt, or sits behind two replicas. */
import type { ChainSource, LabelPageOptions, TransactionId } from '../../../chain/source/chain-source.ts'

/** Changes one answer to a request for a page. */
export type Flaw = (ids: TransactionId[], options: LabelPageOptions) => TransactionId[]

/** What goes wrong with a page, by name. @param at - which row, taken modulo the rows there are. */
export const FLAWS: Record<string, (at: number) => Flaw> = {
  short: at => ids => ids.slice(0, at % (ids.length + 1)),
  empty: () => () => [],
  missing: at => ids => ids.filter((_, row) => row !== at % ids.length),
  repeated: at => ids => (ids.length < 2 ? ids : ids.with((at % (ids.length - 1)) + 1, ids[at % (ids.length - 1)]!)),
  reordered: at => ids => {
    const row = at % Math.max(1, ids.length - 1)
    return ids.length < 2 ? ids : ids.with(row, ids[row + 1]!).with(row + 1, ids[row]!)
  }
}

/** @param flawOf - asked before each page; `undefined` leaves it as it is. */
export function flawedSource(
  source: ChainSource,
  flawOf: (options: LabelPageOptions) => Flaw | undefined
): ChainSource {
  return withMethod(source, 'labelPage', async (...call) => {
    const ids = await source.labelPage(...call)
    return flawOf(call[1])?.(ids, call[1]) ?? ids
  })
}

/** A source in which one method is another. */
export function withMethod<K extends 'labelPage' | 'transaction' | 'transactionBytes' | 'block'>(
  source: ChainSource,
  name: K,
  method: ChainSource[K]
): ChainSource {
  return new Proxy(source, {
    get(target, wanted) {
      if (wanted === name) return method
      const value: unknown = Reflect.get(target, wanted)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
}
