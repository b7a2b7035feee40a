import { expect, test } from 'vitest'
import { commandError } from '../../../../peer/cli/errors.ts'
import { errorWords, messageProblemWords, statusProblemWords } from '../../../../peer/cli/words.ts'
import { PeerError, storeFailure } from '../../../../peer/errors.ts'
import { MESSAGE_PROBLEMS } from '../../../../peer/problems.ts'

test('the sentences name what they are about', () => {
  expect(errorWords(new PeerError('name-taken', { username: 'ada' }))).toBe('@ada is taken')
  expect(errorWords(storeFailure('key-exposed', '/data/store-key.json'))).toMatch(/chmod 600 \/data\/store-key\.json/)
  expect(errorWords(storeFailure('passphrase-needed', '/data'))).toMatch(/VOLO_PASSPHRASE_FILE/)
  expect(errorWords(commandError('device-ambiguous', { device: '7e0b', matches: 2 }))).toMatch(/^7e0b begins .* 2 /)
  const origin = 'https://volo.example'
  expect(statusProblemWords({ code: 'refused', facts: { origin, refusal: 'busy' } })).toBe(`${origin} refused (busy)`)
})

test('every problem of a message has one', () => {
  expect(MESSAGE_PROBLEMS.filter(problem => !messageProblemWords(problem))).toEqual([])
})
