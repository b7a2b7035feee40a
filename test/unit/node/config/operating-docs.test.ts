import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { settingsTable } from '../../../../node/config/config.ts'

const operating = readFileSync(resolve(import.meta.dirname, '../../../../docs/operating.md'), 'utf8')

/** A Markdown table without what only aligns its columns. */
const unaligned = (text: string): string =>
  text
    .replace(/-{3,}/g, '---')
    .replace(/ +/g, ' ')
    .replace(/\| ---/g, '|---')
    .replace(/--- \|/g, '---|')

describe('docs/operating.md', () => {
  it('tells every setting as the node knows it', () => {
    expect(unaligned(operating)).toContain(unaligned(settingsTable()))
  })
})
