import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MAX_TEXT_UNITS } from '../../../protocol/limits.ts'
import { PeerError, storeFailure } from '../../../peer/errors.ts'
import { ComposerDraft } from '../../../web/src/state/composer-draft.svelte.ts'
import { shownLength } from '../../../web/src/state/folded-text.ts'
import { isComposing } from '../../../web/src/state/input-method.ts'
import { breakablePieces } from '../../../web/src/state/break-places.ts'
import { textParts } from '../../../web/src/state/text-parts.ts'
import { FakePeer } from '../../support/fake-peer.ts'

const CONVERSATION = 'ab'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function compose(draft = '') {
  const peer = new FakePeer()
  const saved = vi.spyOn(peer.conversations, 'saveDraft')
  const sent = vi.spyOn(peer.messages, 'sendText')
  return { peer, saved, sent, composer: new ComposerDraft(peer, CONVERSATION, draft) }
}

describe('a draft', () => {
  it('is kept once typing rests', async () => {
    const { composer, saved } = compose()
    composer.write('Hel')
    composer.write('Hello')
    await vi.runAllTimersAsync()
    expect(saved.mock.calls).toEqual([[CONVERSATION, 'Hello']])
  })

  it('is kept at once when the conversation is left, and only if it changed', async () => {
    const { composer, saved } = compose('Hello')
    await composer.keep()
    expect(saved).not.toHaveBeenCalled()
    composer.write('Hello Bob')
    await composer.keep()
    expect(saved.mock.calls).toEqual([[CONVERSATION, 'Hello Bob']])
  })

  it('that is too long to send is kept all the same, and the user is told when it is too long even for that', async () => {
    const { composer, peer, saved } = compose()
    composer.write('x'.repeat(25_000))
    await vi.runAllTimersAsync()
    expect(composer).toMatchObject({ isTooLong: true, isUnkept: false })
    expect(saved.mock.lastCall![1]).toHaveLength(25_000)
    peer.conversations.saveDraft = async () => {
      throw new PeerError('message-too-long', { length: 100_001, limit: 100_000 })
    }
    composer.write('x'.repeat(100_001))
    await vi.runAllTimersAsync()
    expect(composer.isUnkept).toBe(true)
  })

  it('is measured as it is sent, without blanks at its ends', () => {
    const { composer } = compose()
    composer.write(`${'x'.repeat(MAX_TEXT_UNITS)}  \n`)
    expect(composer.canSend).toBe(true)
  })

  it('leaves the box, and the store, when it is sent', async () => {
    const { composer, saved, sent } = compose('old')
    composer.write('  Hello  ')
    const taken = composer.send()
    expect(composer.text).toBe('')
    expect(await taken).toBe(true)
    await vi.runAllTimersAsync()
    expect(sent.mock.calls).toEqual([[CONVERSATION, 'Hello']])
    expect(saved.mock.lastCall).toEqual([CONVERSATION, ''])
  })

  it('comes back when it could not be taken, before what was typed meanwhile', async () => {
    const { composer, peer } = compose()
    peer.messages.sendText = async () => {
      throw storeFailure('not-writable', 'volo-store')
    }
    composer.write('First')
    const taken = composer.send()
    composer.write('Second')
    expect(await taken).toBe(false)
    expect(composer.text).toBe('First\nSecond')
    expect(composer.failure).toMatchObject({ code: 'store' })
  })

  it('that could not be taken is kept, also after the chat was left', async () => {
    const { composer, peer, saved } = compose()
    const refusal = Promise.withResolvers<never>()
    peer.messages.sendText = () => refusal.promise
    composer.write('First')
    const taken = composer.send()
    await composer.keep()
    refusal.reject(new PeerError('interrupted'))
    expect(await taken).toBe(false)
    expect(saved.mock.lastCall).toEqual([CONVERSATION, 'First'])
  })

  it('of blanks is not sent', async () => {
    const { composer, sent } = compose()
    composer.write(' \n ')
    expect(await composer.send()).toBe(false)
    expect(sent).not.toHaveBeenCalled()
  })

  it.each(['a', 'ä', '漢'])('may be as long as a message, counted as the peer counts: %s', letter => {
    const { composer } = compose()
    composer.write(letter.repeat(MAX_TEXT_UNITS))
    expect(composer.isTooLong).toBe(false)
    composer.write(letter.repeat(MAX_TEXT_UNITS + 1))
    expect(composer.isTooLong).toBe(true)
    expect(composer.canSend).toBe(false)
  })
})

describe('a key of an input method', () => {
  it('is told by the composition, or in Safari by the number of the key alone', () => {
    expect(isComposing({ isComposing: true, keyCode: 13 })).toBe(true)
    expect(isComposing({ isComposing: false, keyCode: 229 })).toBe(true)
    expect(isComposing({ isComposing: false, keyCode: 13 })).toBe(false)
  })
})

describe('a long text', () => {
  it('is shown in portions, cut between words, letters and their marks', () => {
    expect(shownLength('Hello', 0)).toBe(5)
    expect(shownLength('word '.repeat(290).trim(), 0)).toBe(1_449)
    const words = 'word '.repeat(4_000)
    expect(words.slice(0, shownLength(words, 0))).toMatch(/ word$/)
    expect(shownLength('\n'.repeat(20_000), 0)).toBeLessThan(30)
    expect(shownLength('w'.repeat(20_000), 0)).toBe(1_200)
    const families = '👨‍👩‍👧'.repeat(2_500)
    expect(shownLength(families, 0) % 8).toBe(0)
    const marks = `a${'\u0301'.repeat(19_999)}`
    expect(shownLength(marks, 0)).toBeLessThanOrEqual(1_200)
    expect(shownLength(`${'x'.repeat(1_199)}${'😀'.repeat(5_000)}`, 0)).toBe(1_199)
  })

  it('is shown whole in the end', () => {
    for (const text of ['w'.repeat(20_000), 'a\n'.repeat(10_000), `a${'\u0301'.repeat(19_999)}`]) {
      let times = 0
      while (shownLength(text, times) < text.length) times++
      expect(times).toBeLessThan(100)
    }
  })
})

describe('addresses in a message', () => {
  const hrefs = (text: string) => textParts(text).flatMap(part => part.href ?? [])

  it('become links without the punctuation around them', () => {
    expect(hrefs('See https://example.org/a?b=c, and (http://example.org).')).toEqual([
      'https://example.org/a?b=c',
      'http://example.org'
    ])
  })

  it('of other schemes stay text', () => {
    expect(hrefs('javascript:alert(1) data:text/html,x file:///etc/passwd ftp://example.org')).toEqual([])
  })

  it('that are malformed stay text', () => {
    expect(hrefs('http://[ https://')).toEqual([])
  })

  it('stay text after the first hundred', () => {
    const text = 'https://a.example '.repeat(1_000)
    expect(hrefs(text)).toHaveLength(100)
    expect(
      textParts(text)
        .map(part => part.text)
        .join('')
    ).toBe(text)
  })

  it('lose no letter', () => {
    for (const text of ['', 'plain', 'https://a.example', 'x https://a.example. y https://b.example!']) {
      expect(
        textParts(text)
          .map(part => part.text)
          .join('')
      ).toBe(text)
    }
  })
})

describe('places to break a line', () => {
  it('are made in long runs only, and lose no letter', () => {
    for (const text of ['', 'plain words', 'w'.repeat(512), 'a\n\n\nb', `${'ab '.repeat(500)}c`])
      expect(breakablePieces(text)).toEqual([text])
    for (const text of [
      'w'.repeat(20_000),
      `x ${'w'.repeat(600)} y ${'\ufdfd'.repeat(600)}`,
      'a' + '\u0301'.repeat(19_999)
    ]) {
      const pieces = breakablePieces(text)
      expect(pieces.join('')).toBe(text)
      expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(200)
    }
  })

  it('fall between letters, and never into a pair', () => {
    for (const letter of ['👩‍👩‍👧', '🇸🇪', 'e\u0301', '𝔘']) {
      const pieces = breakablePieces(letter.repeat(600))
      expect(pieces.length).toBeGreaterThan(5)
      for (const piece of pieces) expect(piece.replaceAll(letter, '')).toBe('')
    }
    for (const piece of breakablePieces('a' + '\u{e0100}'.repeat(1_000))) expect(piece.isWellFormed()).toBe(true)
  })
})
