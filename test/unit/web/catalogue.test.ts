import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { PeerError } from '../../../peer/errors.ts'
import { HOLD_REASONS } from '../../../peer/problems.ts'
import type { Catalogue } from '../../../web/src/i18n/catalogue.ts'
import { en } from '../../../web/src/i18n/en/en.ts'
import { pluralizer } from '../../../web/src/i18n/plural.ts'
import { failureWords } from '../../../web/src/state/failure-words.ts'

/** Words that only an expert knows; UI text may use them inside "Technical details" alone. */
const BANNED =
  /\b(key ?pairs?|signatures?|hash(es|ed)?|nodes?|peers?|gossip|metadata|wallets?|on-chain|UTXO|sessions?|cross-sign\w*)\b/i

/** An example of every fact that a sentence about a failure or problem is given. */
const FACTS = {
  username: 'ada',
  name: 'Ada',
  origin: 'https://volo.example',
  refusal: 'refused',
  reason: 'key',
  fault: 'in-use',
  length: 25_000,
  limit: 20_000,
  side: 4_096
}

/** Every text of a part of the catalogue, functions called with an example. */
function texts(part: unknown, path: string): [string, string][] {
  if (typeof part === 'string') return [[path, part]]
  if (typeof part === 'function') {
    if (/^\(?\{/.test(part.toString())) return [[path, String(part(FACTS))]]
    const takesNumber = /plural\(|\$\{n\}/.test(part.toString())
    return [[path, String(part(takesNumber ? 2 : 'Ada', 'Ada', 'Ada'))]]
  }
  if (typeof part !== 'object' || part === null) return []
  return Object.entries(part).flatMap(([key, value]) => texts(value, `${path}.${key}`))
}

describe('the words of the app', () => {
  const { technical, ...plain } = en

  it('keep expert words to the technical details', () => {
    const offending = texts(plain, 'en').filter(([, text]) => BANNED.test(text))
    expect(offending).toEqual([])
  })

  it('would be caught if they did not', () => {
    expect(texts({ bad: 'Your session key' }, 'en').some(([, text]) => BANNED.test(text))).toBe(true)
    expect(texts(technical, 'technical').some(([, text]) => BANNED.test(text))).toBe(true)
  })

  it('are never empty', () => {
    expect(texts(en, 'en').filter(([, text]) => text.trim() === '')).toEqual([])
  })

  it('all stand in the catalogue: components hold no sentences of their own', () => {
    const folder = resolve(import.meta.dirname, '../../../web/src')
    const components = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name =>
      name.endsWith('.svelte')
    )
    const sentences = components.flatMap(name => {
      const markup = readFileSync(join(folder, name), 'utf8')
        .replace(/<(script|style)[\s\S]*?<\/\1>/g, '')
        .replace(/<!--[\s\S]*?-->/g, '')
        .replace(/\{[^{}]*(\{[^{}]*\}[^{}]*)*\}/g, '')
        .replace(/=>/g, '')
      return [...markup.matchAll(/>\s*([^<>{}]*\p{L}{2}[^<>{}]*)</gu)].map(match => `${name}: ${match[1]!.trim()}`)
    })
    expect(components.length).toBeGreaterThan(20)
    expect(sentences).toEqual([])
  })
})

describe('sentences about failures', () => {
  const about = { name: 'Ada', username: 'ada' }

  it('exist for every reason that holds a message, and name whom it is about', () => {
    const held = HOLD_REASONS.map(reason => failureWords(new PeerError('held', { reason, username: 'ada' }), en))
    expect(held.filter(text => text.includes('undefined'))).toEqual([])
    expect(en.holds.contradicted(about)).toContain('Ada')
  })

  it('say what is safe where nothing was done', () => {
    expect(failureWords(new PeerError('offline', { origin: null }), en)).toMatch(/kept here/)
    expect(failureWords(new PeerError('refused', { refusal: 'refused' }), en)).toMatch(/Nothing was changed/)
    expect(failureWords(new PeerError('removal-offline'), en)).toMatch(/was not removed/)
  })

  it('are those of an internal failure for every other error', () => {
    const reported = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => reported.mockRestore())
    expect(failureWords(new Error('secret'), en)).toBe(en.failures.internal)
  })

  it('are asked of every language: one that lacks a key does not compile', () => {
    const { internal: _, ...failures } = en.failures
    // @ts-expect-error a code has no sentence
    const lacking: Catalogue = { ...en, failures }
    expect(Object.keys(lacking.failures)).toHaveLength(Object.keys(en.failures).length - 1)
  })
})

describe('languages', () => {
  it('plural forms follow the rules of the language', () => {
    const polish = pluralizer('pl')
    const forms = { one: '{n} plik', few: '{n} pliki', many: '{n} plików', other: '{n} pliku' }
    expect([1, 3, 5].map(n => polish(n, forms))).toEqual(['1 plik', '3 pliki', '5 plików'])
    expect(pluralizer('en')(1_000, { other: '{n} files' })).toBe('1,000 files')
  })
})
