/** Worlds of the fixture that differ in one thing from those that other tests use, too. */
import {
  busyWorld,
  conversationId,
  LINK_CODE,
  me,
  message,
  person,
  status,
  type World
} from '../../support/fixture-world.ts'

/** Ada has compared numbers with Bob, and then his devices changed on the public record. */
export function alarmed(world: World): World {
  const alert = { kind: 'key', at: Date.now(), username: null } as const
  const conversations = world.snapshot.conversations.map(each =>
    each.person.username === 'bob'
      ? {
          ...each,
          person: { ...each.person, verifiedAt: Date.now(), alert },
          held: 'key' as const
        }
      : each
  )
  return { ...world, snapshot: { ...world.snapshot, conversations } }
}

/** Bob was compared with. */
export function verified(world: World): World {
  const conversations = world.snapshot.conversations.map(each =>
    each.person.username === 'bob' ? { ...each, person: { ...each.person, verifiedAt: Date.now() } } : each
  )
  return { ...world, snapshot: { ...world.snapshot, conversations } }
}

/** No second operator of this network can confirm what the first one says. */
export function oneOperator(world: World): World {
  const conversations = world.snapshot.conversations.map(each => {
    const record = { ...each.person.record, trust: 'L1' as const }
    return { ...each, person: { ...each.person, record, nameConfirmed: false } }
  })
  return { ...world, snapshot: { ...world.snapshot, conversations, status: status({ operators: 1 }) } }
}

/** Texts that a hostile program sends. */
export function hostile(): World {
  const world = busyWorld()
  const bob = person('Bob')
  const texts = ['a' + '\n'.repeat(19_998) + 'b', 'w'.repeat(20_000), 'a' + '\u0301'.repeat(19_999)]
  const messages = texts.map((text, index) => message(bob, 3 - index, text))
  return { ...world, messages: { ...world.messages, [conversationId(bob)]: messages } }
}

/** This device was removed from the account. */
export function removed(world: World): World {
  return { ...world, snapshot: { ...world.snapshot, me: me({ deviceState: 'removed' }) } }
}

/** The username went to another account. */
export function lostName(world: World): World {
  return { ...world, snapshot: { ...world.snapshot, me: me({ nameState: 'taken' }) } }
}

/** No node answers, and two messages wait. */
export function offline(world: World): World {
  return {
    ...world,
    snapshot: { ...world.snapshot, status: status({ connection: 'offline', node: null, waiting: 2 }) }
  }
}

/** Another device has used the code, and waits for the answer. */
export const ASKING = {
  step: 'asking',
  code: LINK_CODE,
  deviceName: 'Firefox on Android',
  checkWords: ['tissue', 'marble'] as [string, string]
} as const

/** The same world at another stage of the way in. */
export function atStage(world: World, stage: World['snapshot']['stage']): World {
  return { ...world, snapshot: { ...world.snapshot, stage } }
}
