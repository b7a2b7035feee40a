import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../../protocol/bytes.ts'
import { decodeMessage, encodeMessage } from '../../../../protocol/conversation/message.ts'
import { padToBucket } from '../../../../protocol/session/padding.ts'
import { allBackends } from '../../../vectors/backends.ts'
import { checkSessionVectors, makeSessionVectors, type SessionVectors } from '../../../vectors/session-vectors.ts'

const file = new URL('../../../vectors/session.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as SessionVectors

const backends = await allBackends()

describe('the vectors of suite volo/1', () => {
  it.each(backends.map(backend => [backend.name, backend] as const))('hold on %s', async (_, backend) => {
    expect(await checkSessionVectors(vectors, backend)).toEqual([])
  })

  it('are made again from their seed, but for encapsulation', async () => {
    const made = await makeSessionVectors()
    const fixed = ({ open, refusedOpens, ...rest }: SessionVectors) => ({
      ...rest,
      open: { ...open, part: '' },
      refusedOpens: refusedOpens.map(({ name, code }) => ({ name, code }))
    })
    expect(fixed(made)).toEqual(fixed(vectors))
    expect(made.open.part).not.toBe(vectors.open.part)
  })

  it('notice a change in any of their hex values', async () => {
    // The fastest one: each value is a check of all vectors.
    const node = backends[1]!
    const text = JSON.stringify(vectors)
    const values = [...new Set(text.match(/[0-9a-f]{64,}/g))].filter(value => value !== vectors.network)
    const relevant = values.filter(value => !vectors.messages.some(({ encoded }) => encoded === value))
    for (const value of relevant.slice(0, 12)) {
      const last = value.endsWith('0') ? '1' : '0'
      const changed = JSON.parse(text.replace(value, value.slice(0, -1) + last)) as SessionVectors
      const outcome = await checkSessionVectors(changed, node).catch(() => ['threw'])
      expect(outcome).not.toEqual([])
    }
  })

  it('fix the bytes of every kind of message', () => {
    for (const { kind, encoded } of vectors.messages) {
      const message = decodeMessage(fromHex(encoded))
      expect(message.body.kind).toBe(kind)
      expect(toHex(encodeMessage(message))).toBe(encoded)
    }
  })

  it('fix the padding', () => {
    for (const { contentBytes, paddedBytes } of vectors.padding) {
      expect(padToBucket(new Uint8Array(contentBytes)).length).toBe(paddedBytes)
    }
  })
})
