import { NodeError } from '../errors.ts'

/** Resolves once so many of them have. @throws NodeError `busy` once too many have failed. */
export function enough(attempts: Promise<unknown>[], required: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let done = 0
  let failed = 0
  for (const attempt of attempts) {
    attempt.then(
      () => {
        if (++done >= required) resolve()
      },
      (cause: unknown) => {
        if (++failed > attempts.length - required) {
          reject(new NodeError('busy', `fewer than ${required} replicas could keep it`, { cause }))
        }
      }
    )
  }
  if (required === 0) resolve()
  return promise
}
