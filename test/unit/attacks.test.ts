/** The table of attacks names tests that are there. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const ROW = /^\|[^|]*\|[^|]*\| `([\w/.-]+)` (.+?) +\|$/

const rows = readFileSync(resolve(root, 'docs/attacks.md'), 'utf8')
  .split('\n')
  .slice(7)
  .filter(line => line.startsWith('|') && !line.startsWith('| --'))

test('every attack names a test by its file and name, and it is there', () => {
  const missing = rows.filter(row => {
    const [, file, name] = ROW.exec(row) ?? []
    return file === undefined || name === undefined || !readFileSync(resolve(root, file), 'utf8').includes(name)
  })
  expect(missing).toEqual([])
  expect(rows.length).toBeGreaterThan(40)
})
