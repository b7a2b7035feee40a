import { describe, expect, test } from 'vitest'
import { errorOf, failureOf, parseFailure, PeerError, storeFailure } from '../../../peer/errors.ts'

describe('a failure', () => {
  test('passes a port as plain data and comes out the same', () => {
    const errors = [
      new PeerError('internal'),
      new PeerError('offline', { origin: null }),
      new PeerError('held', { reason: 'contradicted', username: 'bob' }),
      new PeerError('message-too-long', { length: 20_001, limit: 20_000 }),
      storeFailure('in-use', '/data', new Error('LOCK'))
    ]
    for (const error of errors) {
      const arrived = errorOf(parseFailure(structuredClone(failureOf(error))))
      expect(arrived).toMatchObject({ name: 'PeerError', code: error.code, facts: error.facts })
    }
  })

  test('carries no fact that its code does not have', () => {
    const told = { code: 'name-taken', facts: { username: 'ada', stack: 'at /home/ada' }, message: 'secret' }
    expect(parseFailure(told)).toEqual({ code: 'name-taken', facts: { username: 'ada' } })
  })

  test.each([
    ['nothing', undefined],
    ['a text', 'offline'],
    ['an unknown code', { code: 'on-fire', facts: {} }],
    ['a code of the prototype', { code: 'constructor', facts: {} }],
    ['a missing fact', { code: 'name-taken', facts: {} }],
    ['no facts', { code: 'name-taken' }],
    ['a fact of another type', { code: 'name-taken', facts: { username: 7 } }],
    ['a fact outside its list', { code: 'refused', facts: { refusal: 'because I say so' } }],
    ['a fact that is too long', { code: 'name-taken', facts: { username: 'a'.repeat(501) } }]
  ])('is internal if it is malformed: %s', (_, told) => {
    expect(parseFailure(told)).toEqual({ code: 'internal', facts: {} })
  })

  test('tells nothing about an unexpected error', () => {
    expect(failureOf(new Error('secret'))).toEqual({ code: 'internal', facts: {} })
  })
})
