import type { CallTable } from './api/call-table.ts'

/**
 * Gives the calls of an area to those who have an account: each call rejects with what `require` throws, before it begins.
 *
 * @param calls - names the calls; nothing else of `area` can be reached through the result.
 */
export function registeredOnly<Area extends object>(calls: CallTable<Area>, area: Area, require: () => void): Area {
  const guarded = Object.keys(calls).map(name => {
    const call = area[name as keyof Area] as (...args: unknown[]) => Promise<unknown>
    return [
      name,
      async (...args: unknown[]) => {
        require()
        return call.apply(area, args)
      }
    ]
  })
  return Object.fromEntries(guarded) as Area
}
