import { describe, expect, test } from 'vitest'
import { durationText } from '../../../web/src/files/duration.ts'
import { prepareFile } from '../../../web/src/files/picture.ts'
import { StoragePage } from '../../../web/src/files/storage-page.svelte.ts'
import { waveformOf } from '../../../web/src/files/voice-recording.svelte.ts'
import { fileSize } from '../../../web/src/state/file-size.ts'
import { ChatExport } from '../../../web/src/files/chat-export.svelte.ts'
import { loadLanguage } from '../../../web/src/i18n/language.ts'
import { hostileWorld } from '../../support/hostile-world.ts'
import { FakePeer } from '../../support/fake-peer.ts'
import { busyWorld } from '../../support/fixture-world.ts'

describe('what a file is called on a screen', () => {
  test.each([
    [0, '0 bytes'],
    [900, '900 bytes'],
    [12_345, '12 kB'],
    [1_250_000, '1.3 MB'],
    [104_857_600, '105 MB']
  ])('%i bytes are %s', (bytes, words) => {
    expect(fileSize(bytes, 'en')).toBe(words)
  })

  test.each([
    [0, '0:00'],
    [7.4, '0:07'],
    [754, '12:34']
  ])('%d seconds are %s', (seconds, words) => {
    expect(durationText(seconds)).toBe(words)
  })
})

/** Here nothing can be drawn, as with a kind that a browser does not know. */
test.each([
  ['\0\0\0\x18ftypheic', true],
  ['\xff\xd8\xff\xe1', true],
  ['\0\0\0\x14ftypqt  ', true],
  ['GIF89a', false],
  ['%PDF-1.7', false]
])('a file that begins with %j and is sent as it is may tell where it was taken: %s', async (head, keepsNotes) => {
  const file = new File([Uint8Array.from(head, character => character.charCodeAt(0))], 'chosen')
  expect(await prepareFile(file)).toEqual({ prepared: { content: file, name: 'chosen' }, keepsNotes })
})

describe('the waveform of a voice note', () => {
  test('has the loudest of each part, and at most so many bars', () => {
    expect([...waveformOf([0, 0.5, 1, 0.2], 2)]).toEqual([128, 255])
    expect(waveformOf(Array.from({ length: 1_000 }, () => 0.1))).toHaveLength(64)
    expect([...waveformOf([2])]).toEqual([255])
    expect(waveformOf([])).toHaveLength(0)
  })
})

test('the page of the storage says what files take, and frees those of one chat', async () => {
  const peer = new FakePeer(busyWorld())
  const page = new StoragePage(peer)
  await page.look()
  const [largest] = page.usage!
  expect(page.totalBytes).toBeGreaterThan(largest!.bytes)
  await page.free(largest!.conversationId)
  expect(page.usage!.some(({ conversationId }) => conversationId === largest!.conversationId)).toBe(false)
})

test('the copy of all chats has every message, and nothing in it that runs or loads anything', async () => {
  const world = hostileWorld()
  const pages: Blob[] = []
  const copy = new ChatExport(new FakePeer(world), page => void pages.push(page))
  await copy.run(world.snapshot, await loadLanguage(['en']))
  expect(copy.failure).toBeNull()
  const text = await pages[0]!.text()
  expect(text.match(/<article/g)).toHaveLength(Object.values(world.messages).flat().length)
  expect(text).toContain("default-src 'none'")
  // Only the page's own elements, without attributes that others have written.
  const elements = new Set([...text.matchAll(/<([a-z][a-z0-9-]*)/g)].map(([, name]) => name))
  const own = ['html', 'head', 'meta', 'title', 'style', 'body', 'h1', 'h2', 'bdi', 'article', 'small', 'time', 'p']
  expect([...elements].filter(name => !own.includes(name!))).toEqual([])
  expect(text).not.toMatch(/<[^>]* on[a-z]+=/)
})
