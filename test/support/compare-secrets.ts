import { expect } from 'vitest'
import { equalBytes } from '../../protocol/bytes.ts'
import type { Secret } from '../../protocol/secret.ts'

const IS_DONE = Symbol.for('volo:secrets are compared')

/** Told by its form: a file that loads modules again has a class of its own. */
const isSecret = (value: unknown): value is Secret =>
  typeof value === 'object' && value !== null && 'expose' in value && value.constructor.name === 'Secret'

/** Lets `toEqual` compare secrets by their bytes: these are private, and to vitest all secrets look the same. */
function compareSecrets(): void {
  // Runs before each file, but files of one worker share the list of testers.
  if (Reflect.has(globalThis, IS_DONE)) return
  Reflect.set(globalThis, IS_DONE, true)
  expect.addEqualityTesters([
    (a: unknown, b: unknown) => {
      if (!isSecret(a) && !isSecret(b)) return undefined
      return isSecret(a) && isSecret(b) && equalBytes(a.expose(), b.expose())
    }
  ])
}

compareSecrets()
