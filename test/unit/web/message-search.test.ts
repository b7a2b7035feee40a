import { describe, expect, it } from 'vitest'
import { MessageSearch, snippetOf } from '../../../web/src/state/message-search.svelte.ts'
import { FakePeer } from '../../support/fake-peer.ts'
import { busyWorld } from '../../support/fixture-world.ts'

describe('a search for messages', () => {
  it('shows what was found, and since when there are messages; an empty field shows nothing', async () => {
    const search = new MessageSearch(new FakePeer(busyWorld()))
    await search.search(' drawings ')
    expect(search.found.map(({ message }) => message.text).join()).toContain('drawings')
    expect(search.text).toBe('drawings')
    expect(search.since).not.toBeNull()
    await search.search(' ')
    expect(search.found).toEqual([])
  })

  it('drops the results of an earlier text that come later', async () => {
    const peer = new FakePeer(busyWorld())
    const find = peer.search.find
    const late = Promise.withResolvers<void>()
    peer.search.find = async text => {
      const found = await find(text)
      if (text === 'drawings') await late.promise
      return found
    }
    const search = new MessageSearch(peer)
    const first = search.search('drawings')
    await search.search('nothing like it')
    late.resolve()
    await first
    expect(search.found).toEqual([])
    expect(search.text).toBe('nothing like it')
  })
})

describe('the part of a message that is shown', () => {
  it('is around the word, with the word apart', () => {
    const snippet = snippetOf(`${'a '.repeat(100)}The Analytical Engine${' b'.repeat(100)}`, 'analytical x')
    expect(snippet.match).toBe('Analytical')
    expect(snippet.before).toMatch(/^…[a ]+The $/)
    expect(snippet.after).toMatch(/^ Engine/)
  })

  it('is the beginning where letters differ from those that were typed', () => {
    expect(snippetOf('Zoë\nwrites', 'zoe')).toEqual({ before: 'Zoë writes', match: '', after: '' })
  })

  it('never ends in half a character', () => {
    const { before, match, after } = snippetOf('😀'.repeat(200), 'x')
    expect((before + match + after).isWellFormed()).toBe(true)
  })
})
