import type { Libp2pInit } from 'libp2p'

type Datastore = NonNullable<Libp2pInit['datastore']>

class NotFoundError extends Error {
  override name = 'NotFoundError'
}

const missing = (): never => {
  throw new NotFoundError('nothing is kept')
}

async function* nothing<T>(): AsyncGenerator<T> {
  // Nothing is kept, so there is nothing to yield.
}

async function* pass<T>(source: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
  yield* source
}

/**
 * A datastore that keeps nothing. libp2p notes every peer it meets; clients come with a fresh key each time, so the notes
 * would only grow.
 */
export function forgetfulDatastore(): Datastore {
  const store: Datastore = {
    has: () => false,
    get: missing,
    put: key => key,
    delete: () => undefined,
    async *putMany(source) {
      for await (const { key } of pass(source)) yield key
    },
    getMany: () => nothing(),
    async *deleteMany(source) {
      yield* pass(source)
    },
    batch: () => ({ put: () => undefined, delete: () => undefined, commit: () => undefined }),
    query: () => nothing(),
    queryKeys: () => nothing()
  }
  return store
}
