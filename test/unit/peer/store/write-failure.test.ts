import { expect, test } from 'vitest'
import { writeFailure } from '../../../../peer/store/store-fault.ts'

const failure = (error: unknown) => (writeFailure('/data/store', error) as Error & { facts: unknown }).facts

test.each([
  ['a browser', new DOMException('the quota has been exceeded', 'QuotaExceededError')],
  ['Node', Object.assign(new Error('write failed'), { code: 'ENOSPC' })],
  ['LevelDB', new Error('failed', { cause: new Error('IO error: /data/store/000005.log: No space left on device') })]
])('a full disk is told by its name: %s', (_who, error) => {
  expect(failure(error)).toMatchObject({ fault: 'full', location: '/data/store' })
})

test('any other failed write is one that could not be written', () => {
  expect(failure(new DOMException('gone', 'InvalidStateError'))).toMatchObject({ fault: 'not-writable' })
  expect(failure(undefined)).toMatchObject({ fault: 'not-writable' })
})
