import { busyWorld, conversationId, fixtureId, me, message, person, type World } from './fixture-world.ts'

/** A conversation in which people answer, mark, change and delete messages. */
export function saidWorld(): World {
  const world = busyWorld()
  const bob = person('Bob')
  const id = conversationId(bob)
  const [ada, his] = [me().accountId, bob.accountId]
  const options = [
    { text: 'At the library', votes: [ada, his], isMine: true },
    { text: 'At the café by the river, if it does not rain', votes: [], isMine: false },
    { text: 'Not this week', votes: [his], isMine: false }
  ]
  const tea = message(bob, 40, 'Shall we have tea at seven?', {
    editedAt: Date.now(),
    isPinned: true,
    reactions: [
      { emoji: '👍', from: [ada, his], isMine: true },
      { emoji: '🎉', from: [his], isMine: false }
    ]
  })
  const messages = [
    message(bob, 60, 'The address is 12 St James’s Square.', { isPinned: true, isStarred: true }),
    message(bob, 55, '', { kind: 'deleted' }),
    tea,
    message(bob, 38, 'With pleasure! I will bring the drawings.', { state: 'read', replyTo: tea.id }),
    message(bob, 36, 'Not before eight for me, I am afraid.', { replyTo: fixtureId('a message from before') }),
    message(bob, 34, 'There is a concert on Friday.', { state: 'delivered', isForwarded: true }),
    message(bob, 30, 'Where do we meet?', { kind: 'poll', poll: { options, isMultiple: true, voters: 2 } }),
    message(bob, 20, '', { kind: 'system', line: { kind: 'timer', seconds: 24 * 3600 } }),
    message(bob, 10, 'This one does not stay.', { state: 'sent', expiresAfter: 24 * 3600, editedAt: Date.now() })
  ]
  const conversations = world.snapshot.conversations.map(each =>
    each.id === id ? { ...each, unread: 0, draft: '', timer: 24 * 3600, lastMessage: messages.at(-1)! } : each
  )
  return { ...world, messages: { ...world.messages, [id]: messages }, snapshot: { ...world.snapshot, conversations } }
}
