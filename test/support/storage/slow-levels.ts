import { ClassicLevel } from 'classic-level'
import type { SeededRandom } from '../seeded-random.ts'

const MAX_TURNS = 6
/** The hooks that every access of a database ends in (`abstract-level`, "Private API For Implementors"). */
const HOOKS = ['_get', '_getMany', '_put', '_del', '_batch'] as const

type Hook = (...args: unknown[]) => Promise<unknown>
type Hooks = Record<(typeof HOOKS)[number], Hook>

/**
 * Makes every access of every LevelDB of this process wait for some turns of the event loop, so that whatever runs beside it
 * gets its turn. @returns a function that ends it.
 */
export function slowLevels(random: SeededRandom): () => void {
  const prototype = ClassicLevel.prototype as unknown as Hooks
  const before = Object.fromEntries(HOOKS.map(name => [name, prototype[name]])) as Hooks
  for (const name of HOOKS) {
    prototype[name] = async function (this: unknown, ...args) {
      await someTurns(random)
      const result = await before[name].apply(this, args)
      await someTurns(random)
      return result
    }
  }
  return () => void Object.assign(prototype, before)
}

/** Waits for up to six turns of the event loop. */
export async function someTurns(random: SeededRandom): Promise<void> {
  for (let turns = random.below(MAX_TURNS + 1); turns > 0; turns--) await new Promise(resolve => setImmediate(resolve))
}
