import { expect } from 'vitest'
import { Secret } from '../../protocol/secret.ts'

const IS_DONE = Symbol.for('volo:secrets are compared')

/** Lets `toEqual` compare secrets by their bytes: these are private, and to vitest all secrets look the same. */
function compareSecrets(): void {
  // Runs before each file, but files of one worker share the list of testers.
  if (Reflect.has(globalThis, IS_DONE)) return
  Reflect.set(globalThis, IS_DONE, true)
  expect.addEqualityTesters([
    (a: unknown, b: unknown) => {
      if (!(a instanceof Secret) && !(b instanceof Secret)) return undefined
      return a instanceof Secret && b instanceof Secret && a.equals(b)
    }
  ])
}

compareSecrets()
