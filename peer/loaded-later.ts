import type { CallTable } from './api/call-table.ts'

/**
 * An area of calls whose code is loaded by the first call: a start of the app loads what every start needs.
 *
 * @param calls - names the calls; nothing else of the area can be reached through the result.
 * @param load - is called once, and again by the next call if the code could not be loaded.
 */
export function loadedLater<Area extends object>(calls: CallTable<Area>, load: () => Promise<Area>): Area {
  let loaded: Promise<Area> | undefined
  const area = (): Promise<Area> =>
    (loaded ??= load().catch((error: unknown) => {
      loaded = undefined
      throw error
    }))
  const asked = Object.keys(calls).map(name => [
    name,
    async (...args: unknown[]) => {
      const ready = (await area()) as Record<string, (...args: unknown[]) => Promise<unknown>>
      return ready[name]!(...args)
    }
  ])
  return Object.fromEntries(asked) as Area
}
