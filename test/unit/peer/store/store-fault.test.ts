import { afterEach, describe, expect, test, vi } from 'vitest'
import { openKeyTable } from '../../../../peer/store/browser/key-table.ts'
import { openFailure } from '../../../../peer/store/store-fault.ts'

const open = () => openKeyTable('keys', () => undefined)

afterEach(() => void vi.unstubAllGlobals())

/** A browser whose IndexedDB refuses every request. */
function refusing(error: DOMException): object {
  return {
    open: () => {
      const request: { error: DOMException; onerror?: () => void } = { error }
      queueMicrotask(() => request.onerror?.())
      return request
    }
  }
}

describe('keys of a browser', () => {
  test.each([
    ['blocked', new DOMException('denied', 'SecurityError')],
    ['full', new DOMException('no room', 'QuotaExceededError')],
    ['newer', new DOMException('older', 'VersionError')],
    ['not-opened', new DOMException('internal error', 'UnknownError')]
  ])('that cannot be opened say why: %s', async (fault, error) => {
    vi.stubGlobal('indexedDB', refusing(error))
    await expect(open()).rejects.toMatchObject({ code: 'store', facts: { fault } })
    vi.stubGlobal('indexedDB', {
      open: () => {
        throw error
      }
    })
    await expect(open()).rejects.toMatchObject({ code: 'store', facts: { fault } })
  })

  test('are blocked where settings leave no IndexedDB at all', async () => {
    vi.stubGlobal('indexedDB', undefined)
    await expect(open()).rejects.toMatchObject({ code: 'store', facts: { fault: 'blocked' } })
  })
})

test('a data directory that this user must not use is blocked, whatever words the cause has', () => {
  const nested = new Error('Database failed to open', { cause: new Error('IO error: /x/LOCK: Permission denied') })
  expect(openFailure('/x', nested)).toMatchObject({ facts: { fault: 'blocked' } })
  expect(openFailure('/x', Object.assign(new Error('EROFS'), { code: 'EROFS' }))).toMatchObject({
    facts: { fault: 'blocked' }
  })
})
