import { describe, expect, it } from 'vitest'
import { GroupCommit, type Sized } from '../../../../node/pending-messages/group-commit.ts'

/** Lets everything that is ready run, several turns of the event loop long. */
async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise<void>(resolve => setImmediate(resolve))
}

describe('a group commit', () => {
  it('writes what is asked for at the very end of a group, though nothing follows', async () => {
    const written: number[] = []
    const commits = new GroupCommit<Sized>(
      async works => works.map(({ size }) => written.push(size)),
      () => undefined
    )
    void commits.run({ size: 1 }).then(() => commits.run({ size: 2 }))
    await turns()
    expect(written).toEqual([1, 2])
  })

  it('joins what came together, and tells each its own result', async () => {
    const commits = new GroupCommit<Sized>(
      async works => works.map(({ size }) => size * 10),
      () => undefined
    )
    expect(await Promise.all([1, 2, 3].map(size => commits.run<number>({ size })))).toEqual([10, 20, 30])
    expect(commits.groups).toBe(1)
  })

  it('ends with its first failure', async () => {
    let failures = 0
    const commits = new GroupCommit<Sized>(
      () => Promise.reject(new Error('disk')),
      () => void failures++
    )
    await expect(commits.run({ size: 1 })).rejects.toMatchObject({ code: 'store-failed' })
    await expect(commits.run({ size: 1 })).rejects.toMatchObject({ code: 'store-failed' })
    expect(failures).toBe(1)
  })
})
