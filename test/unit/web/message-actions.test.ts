import { describe, expect, it } from 'vitest'
import { ComposerDraft } from '../../../web/src/state/composer-draft.svelte.ts'
import { canBeForwarded, MessageActions } from '../../../web/src/messages/message-actions.svelte.ts'
import { FakePeer } from '../../support/fake-peer.ts'
import { conversationId, person } from '../../support/fixture-world.ts'
import { saidWorld } from '../../support/said-world.ts'

const id = conversationId(person('Bob'))

function opened() {
  const api = new FakePeer(saidWorld())
  const failures: unknown[] = []
  const actions = new MessageActions(api, error => failures.push(error))
  const draft = new ComposerDraft(api, id, 'half a thought')
  const all = () => api.messages.page(id)
  const find = async (text: string) => (await all()).find(message => message.text.startsWith(text))!
  return { api, actions, draft, all, find, failures }
}

describe('the box', () => {
  it('answers a message once, and then writes on its own again', async () => {
    const { draft, find, all } = opened()
    const tea = await find('Shall we')
    draft.answer(tea)
    draft.write('yes')
    expect(await draft.send()).toBe(true)
    expect((await all()).at(-1)).toMatchObject({ text: 'yes', replyTo: tea.id })
    expect(draft.answering).toBeNull()
  })

  it('takes the text of a message that is changed, and gives the draft back, sent or not', async () => {
    const { draft, find } = opened()
    const mine = await find('With pleasure')
    draft.edit(mine)
    expect(draft.text).toBe(mine.text)
    draft.leave()
    expect(draft.text).toBe('half a thought')
    draft.edit(mine)
    draft.write('Gladly!')
    expect(await draft.send()).toBe(true)
    expect(draft.text).toBe('half a thought')
    expect((await find('Gladly!')).id).toBe(mine.id)
  })

  it('keeps the change that was refused', async () => {
    const { api, draft, find } = opened()
    api.amendments.edit = () => Promise.reject(new Error('refused'))
    draft.edit(await find('With pleasure'))
    draft.write('Gladly!')
    expect(await draft.send()).toBe(false)
    expect(draft.editing).not.toBeNull()
    expect(draft.text).toBe('Gladly!')
  })
})

describe('what is done with a message', () => {
  it('a reaction is given, replaced and taken back', async () => {
    const { actions, find } = opened()
    const mine = async () => (await find('Shall we')).reactions.filter(({ isMine }) => isMine).map(({ emoji }) => emoji)
    await actions.react(await find('Shall we'), '😂')
    expect(await mine()).toEqual(['😂'])
    await actions.react(await find('Shall we'), '😂')
    expect(await mine()).toEqual([])
  })

  it('a vote is added where several may be chosen, and taken back', async () => {
    const { actions, find } = opened()
    const chosen = async () => (await find('Where')).poll!.options.map(({ isMine }) => isMine)
    await actions.vote(await find('Where'), 2)
    expect(await chosen()).toEqual([true, false, true])
    await actions.vote(await find('Where'), 0)
    expect(await chosen()).toEqual([false, false, true])
  })

  it('selected messages are deleted for oneself, and the selection ends', async () => {
    const { actions, find, all } = opened()
    const before = (await all()).length
    actions.toggle(await find('Shall we'))
    actions.toggle(await find('Where'))
    actions.deleting = (await all()).filter(message => actions.selected!.has(message.id))
    await actions.delete(false)
    expect((await all()).length).toBe(before - 2)
    expect(actions.selected).toBeNull()
  })

  it('selected texts are forwarded in their order, and the selection ends', async () => {
    const { api, actions, find } = opened()
    const to = conversationId(person('Charles Babbage', { username: 'babbage' }))
    const chosen = [await find('Shall we'), await find('Where'), await find('With pleasure')]
    chosen.forEach(message => actions.toggle(message))
    actions.forwarding = chosen.filter(canBeForwarded)
    expect(await actions.forward(to)).toBe(true)
    const texts = (await api.messages.page(to)).slice(-2).map(({ text }) => text.slice(0, 8))
    expect(texts).toEqual(['Shall we', 'With ple'])
    expect(actions.selected).toBeNull()
  })

  it('a failure is told, and changes nothing', async () => {
    const { api, actions, find, failures } = opened()
    api.amendments.pin = () => Promise.reject(new Error('offline'))
    await actions.pin(await find('Where'))
    expect(failures).toHaveLength(1)
    expect((await find('Where')).isPinned).toBe(false)
  })
})
