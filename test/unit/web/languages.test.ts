import { describe, expect, it } from 'vitest'
import { DISPLAY_NAME_FAULTS } from '../../../protocol/identity/display-name.ts'
import type { Catalogue } from '../../../web/src/i18n/catalogue.ts'
import { chooseLanguage, LANGUAGES, loadLanguage, type LanguageTag } from '../../../web/src/i18n/language.ts'
import { en } from '../../../web/src/i18n/en/en.ts'
import { LanguageChoice } from '../../../web/src/state/language-choice.svelte.ts'

type Leaf = string | ((...facts: never[]) => string)

/** Numbers that fall into every plural form of the languages here. */
const COUNTS = [0, 1, 2, 3, 11, 100]

/** Texts that are rightly the same in English: names, keys, and words that German shares. */
const SAME_IN_GERMAN = new Set([
  'locale',
  'appName',
  'common.atName',
  'common.and',
  'navigation.chats',
  'announce.message',
  'keys.command',
  'keys.alt',
  'keys.escape',
  'chats.title',
  'thread.group.list',
  'thread.article',
  'messages.reaction',
  'backup.passphrase',
  'lock.passphrase',
  'you.version',
  'files.pause',
  'files.kind',
  'groups.admin'
])

/** Words in Latin letters that Arabic keeps: names of products, keys of a keyboard, names in examples, what the public record calls its entries. */
const LATIN_IN_ARABIC =
  /\b(Volo|QR|PDF|JPEG|PNG|WebP|Ctrl|Alt|Shift|Enter|Esc|Iagon|iPhone|Node\.js|Ed25519|CREATE|ADD|REVOKE|ROTATE|NAME|RECOVER|SETRECOVERY|NODE|VOUCH|L[012]|Ada L|Ada|a–z|ada\.example|ada|SHA-256|volo-verify bundle|volo-recovery-code\.txt)\b|@/g

/** English words that no German sentence has. */
const ENGLISH =
  /(?<!\p{L})(the|your|you|is|are|not|and|of|to|this|that|with|from|for|here|device|devices|message|messages)(?!\p{L})/iu

/** Every text and sentence, by its path. */
function leaves(part: object, path = ''): [string, Leaf][] {
  return Object.entries(part).flatMap(([key, value]: [string, unknown]) => {
    const at = path === '' ? key : `${path}.${key}`
    if (typeof value === 'string' || typeof value === 'function') return [[at, value as Leaf] as [string, Leaf]]
    return leaves(value as object, at)
  })
}

/** A fact that notes when a sentence uses it: `0`, or `0.name` for a fact of the first argument. */
function probe(path: string, used: Set<string>): unknown {
  return new Proxy(function fact() {}, {
    get: (_target, key) => {
      if (key === Symbol.toPrimitive) {
        used.add(path)
        return (hint: string) => (hint === 'number' ? 7 : path.endsWith('.reason') ? 'key' : `‹${path}›`)
      }
      if (key === Symbol.iterator) return undefined
      // Methods of texts: the kind of a file is told by how its type begins.
      if (key === 'startsWith') return () => (used.add(path), false)
      return probe(`${path}.${String(key)}`, used)
    }
  })
}

/** What a sentence makes of its facts. */
function factsOf(sentence: Leaf): string[] {
  if (typeof sentence === 'string') return []
  const used = new Set<string>()
  const facts = Array.from({ length: 3 }, (_, index) => probe(String(index), used))
  ;(sentence as (...facts: unknown[]) => string)(...facts)
  return [...used].toSorted()
}

/** Kinds of failures that have a sentence of their own each. */
const FAULTS = ['too-large', 'short', 'full', 'newer', 'blocked', 'key-missing', 'none', 'no-room', 'too-often', 'weak']
const KINDS = [...DISPLAY_NAME_FAULTS, ...FAULTS]

/** A sentence with each of the counts in all its numbers, with texts in its texts, and for every kind of failure. */
function examples(sentence: Leaf): string[] {
  if (typeof sentence === 'string') return [sentence]
  const call = sentence as (...facts: unknown[]) => unknown
  const isAboutFacts = /^\(?\{/.test(call.toString())
  const facts = {
    username: 'x',
    name: 'x',
    origin: 'x',
    url: 'x',
    limit: 5,
    offMs: 7_200_000,
    refusal: 'x',
    by: 'this'
  }
  const calls = isAboutFacts
    ? KINDS.map(fault => [{ ...facts, fault, reason: 'key' }])
    : [
        ...COUNTS.flatMap(n => [
          [n, n, n],
          [n, 'x', 'x']
        ]),
        ['x', 'x', 'x']
      ]
  return calls.flatMap(given => {
    const text = attempt(() => call(...given))
    // Where a sentence counts, a text was no number.
    return typeof text === 'string' && !text.includes('NaN') ? [text] : []
  })
}

/** Null where a sentence needs a text and got a number. */
function attempt(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

const english = new Map(leaves(en))

describe.each(['de', 'ar'] as const)('the catalogue of %s', tag => {
  const texts = async () => leaves(await LANGUAGES[tag].load())

  it('has every text of the English one, and no other', async () => {
    expect((await texts()).map(([path]) => path).toSorted()).toEqual([...english.keys()].toSorted())
  })

  it('uses the same facts in each sentence', async () => {
    const own = new Map(await texts())
    const differing = [...english]
      .map(([path, sentence]) => [path, factsOf(sentence), factsOf(own.get(path)!)] as const)
      .filter(([, wanted, got]) => wanted.join() !== got.join())
    expect(differing).toEqual([])
  })

  it('leaves no number out, and no text empty', async () => {
    const faulty = (await texts()).flatMap(([path, sentence]) =>
      examples(sentence)
        .filter(text => text.trim() === '' || /\{n\}|undefined|\[object/.test(text))
        .map(text => `${path}: ${text}`)
    )
    expect(faulty.filter(text => !/^thread\.(group\.list|article): $/.test(text))).toEqual([])
  })
})

describe('no word is left in English', () => {
  it('in German', async () => {
    const left = leaves(await LANGUAGES.de.load()).filter(([path, sentence]) => {
      if (SAME_IN_GERMAN.has(path)) return false
      const same = examples(sentence)[0] === examples(english.get(path)!)[0]
      return same || examples(sentence).some(text => ENGLISH.test(text))
    })
    expect(left.map(([path]) => path)).toEqual([])
  })

  it('in Arabic', async () => {
    const left = leaves(await LANGUAGES.ar.load())
      .filter(([path]) => path !== 'locale')
      .flatMap(([path, sentence]) =>
        examples(sentence)
          .filter(text => /[a-wyz]{2}/i.test(text.replace(LATIN_IN_ARABIC, '')))
          .map(text => `${path}: ${text}`)
      )
    expect(left).toEqual([])
  })

  it('would be found if it were', () => {
    expect(ENGLISH.test('Nachrichten warten here.')).toBe(true)
    expect(/[a-wyz]{2}/i.test('رسالة message'.replace(LATIN_IN_ARABIC, ''))).toBe(true)
  })
})

describe('Arabic sentences', () => {
  it('keep names apart from the words around them, so that an @ stays before its name', async () => {
    const ar = await LANGUAGES.ar.load()
    expect(ar.common.atName('ada')).toBe('\u2068@ada\u2069')
    expect(ar.people.messageTo('Ada')).toContain('\u2068Ada\u2069')
    expect(ar.holds['lost-name']({ name: 'Ada', username: 'ada' })).toContain('\u2068@ada\u2069')
  })

  it('count as Arabic does', async () => {
    const ar = await LANGUAGES.ar.load()
    expect(new Set([1, 2, 3, 11, 100].map(n => ar.chats.unread(n))).size).toBe(5)
  })
})

describe('the language of the app', () => {
  function places(preferred: string[], kept: Record<string, string> = {}) {
    const items = new Map(Object.entries(kept))
    return {
      root: { lang: '', dir: '' },
      preferred,
      items,
      storage: {
        getItem: (key: string) => items.get(key) ?? null,
        setItem: (key: string, value: string) => void items.set(key, value),
        removeItem: (key: string) => void items.delete(key)
      }
    }
  }

  it('is the first one of the browser that Volo speaks, English otherwise', () => {
    expect(chooseLanguage(['tlh', 'de-AT', 'en'])).toEqual({ tag: 'de', region: 'de-AT' })
    expect(chooseLanguage(['constructor', 'tlh'])).toEqual({ tag: 'en', region: 'en' })
  })

  it('is said to the browser, with the direction of its text', async () => {
    const at = places(['ar-EG', 'en'])
    const languages = await LanguageChoice.open(at)
    expect(languages.current.words.locale).toBe('ar')
    expect(at.root).toEqual({ lang: 'ar', dir: 'rtl' })
  })

  it('is the chosen one, now and at the next visit, until the browser decides again', async () => {
    const at = places(['de-AT'])
    const languages = await LanguageChoice.open(at)
    await languages.choose('ar')
    expect([languages.setting, languages.current.tag, at.root.dir]).toEqual(['ar', 'ar', 'rtl'])
    const next = await LanguageChoice.open(places(['de-AT'], Object.fromEntries(at.items)))
    expect([next.setting, next.current.tag]).toEqual(['ar', 'ar'])
    await next.choose('system')
    expect([next.setting, next.current.tag]).toEqual(['system', 'de'])
  })

  it('is the last one of two that are chosen quickly', async () => {
    const languages = await LanguageChoice.open(places(['en']))
    await Promise.all([languages.choose('ar'), languages.choose('de')])
    expect([languages.setting, languages.current.tag]).toEqual(['de', 'de'])
  })

  it('follows another tab in which it is chosen', async () => {
    const at = places(['en'])
    const [languages, other] = [await LanguageChoice.open(at), await LanguageChoice.open(at)]
    await other.choose('de')
    await languages.follow({ key: 'volo-appearance' })
    expect(languages.current.tag).toBe('en')
    await languages.follow({ key: 'volo-language' })
    expect([languages.setting, languages.current.tag]).toEqual(['de', 'de'])
  })

  it('dates follow its regional form', async () => {
    const noon = Date.UTC(2027, 4, 12, 12)
    const dates = await Promise.all((['en-GB', 'de-AT', 'ar'] as const).map(tag => loadLanguage([tag])))
    const [english, german, arabic] = dates.map(({ dates: each }) => each.dateTime(noon))
    expect(english).toContain('12 May 2027')
    expect(german).toContain('12. Mai 2027')
    expect(arabic).toContain('مايو')
  })
})

describe('every language', () => {
  it('names itself in itself, and has a catalogue that knows its tag', async () => {
    for (const [tag, { load, name }] of Object.entries(LANGUAGES) as [LanguageTag, (typeof LANGUAGES)[LanguageTag]][]) {
      const words: Catalogue = await load()
      expect(words.locale).toBe(tag)
      expect(name).not.toBe('')
    }
  })
})
