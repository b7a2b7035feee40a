import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { allBackends } from '../../../vectors/backends.ts'
import { makeGroupVectors, readGroupVectors, type GroupVectors } from '../../../vectors/group-vectors.ts'

const vectors = JSON.parse(
  readFileSync(new URL('../../../vectors/groups.json', import.meta.url), 'utf8')
) as GroupVectors

const backends = await allBackends()

describe('the vectors of group logs', () => {
  it.each(backends)('hold on $name', async crypto => {
    expect(await readGroupVectors(crypto, vectors)).toEqual(vectors)
  })

  it('are made again from their seed', async () => {
    expect(await makeGroupVectors()).toEqual(vectors)
  })

  it('have a branch that is void, and another that it does not touch', () => {
    expect(vectors.void).toHaveLength(1)
    expect(vectors.states.at(-1)!.members).toHaveLength(1)
  })
})
