import { describe, expect, it } from 'vitest'
import { askNode, jsonOf, MAX_JSON_BYTES } from '../../../../peer/network/node-http.ts'

const ORIGIN = 'http://127.0.0.1:9'
const question = { timeoutMs: 1_000 }

describe('a question to a node', () => {
  it('gives status and bytes, whatever the status', async () => {
    const answer = await askNode(async () => Response.json({ error: 'no' }, { status: 409 }), ORIGIN, '/v1/x', question)
    expect(answer).toMatchObject({ status: 409, ok: false })
    expect(jsonOf(answer)).toEqual({ error: 'no' })
    expect(jsonOf({ ...answer, bytes: new Uint8Array([0xff]) })).toBeUndefined()
  })

  it('reads no more than the limit', async () => {
    let pulls = 0
    const endless = new ReadableStream<Uint8Array>({
      pull: controller => {
        pulls++
        controller.enqueue(new Uint8Array(MAX_JSON_BYTES / 4))
      }
    })
    const asked = askNode(async () => new Response(endless), ORIGIN, '/v1/x', question)
    await expect(asked).rejects.toMatchObject({ code: 'bad-answer' })
    expect(pulls).toBeLessThan(10)
  })

  it('ends in time', async () => {
    const stuck = (_: string, init?: RequestInit) =>
      new Promise<Response>((_resolve, reject) => {
        init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason as Error))
      })
    const asked = askNode(stuck, ORIGIN, '/v1/x', { timeoutMs: 10 })
    await expect(asked).rejects.toMatchObject({ code: 'offline', facts: { origin: ORIGIN } })
  })
})
