import { describe, expect, it } from 'vitest'
import { SerialQueue } from '../../../protocol/serial-queue.ts'

describe('SerialQueue', () => {
  it('runs work one piece at a time, in the order of the calls', async () => {
    const queue = new SerialQueue()
    const events: string[] = []
    const gate = Promise.withResolvers<void>()
    const first = queue.run(async () => {
      events.push('first begins')
      await gate.promise
      events.push('first ends')
      return 1
    })
    const second = queue.run(async () => {
      events.push('second')
      return 2
    })
    await Promise.resolve()
    gate.resolve()
    expect(await Promise.all([first, second])).toEqual([1, 2])
    expect(events).toEqual(['first begins', 'first ends', 'second'])
  })

  it('goes on after a piece that failed, and tells only its caller', async () => {
    const queue = new SerialQueue()
    const failing = queue.run(() => Promise.reject(new Error('broken')))
    const after = queue.run(async () => 'ran')
    await expect(failing).rejects.toThrow('broken')
    expect(await after).toBe('ran')
  })

  it('is idle once all work asked for so far has run, also when it failed', async () => {
    const queue = new SerialQueue()
    let ran = 0
    queue.run(async () => ran++).catch(() => undefined)
    queue.run(() => Promise.reject(new Error('broken'))).catch(() => undefined)
    queue.run(async () => ran++).catch(() => undefined)
    await queue.idle()
    expect(ran).toBe(2)
  })
})
