import { expect, test } from 'vitest'
import type { DirectoryClient } from '../../../../peer/directory/directory-client.ts'
import type { EngineContext } from '../../../../peer/engine-context.ts'
import { SILENT_LOG } from '../../../../peer/ports.ts'
import { RosterLookups, STRANGER_BURST } from '../../../../peer/receiving/roster-lookups.ts'
import { ManualTimers } from '../../../support/clock/manual-timers.ts'

const account = '01'.repeat(32)

/** Look-ups over a directory whose store is closed, as that of a peer that stops while a packet is read. */
function lookupsOfClosedStore(): RosterLookups {
  const context = { timers: new ManualTimers(0), log: SILENT_LOG } as Pick<EngineContext, 'timers' | 'log'>
  const directory = { load: () => Promise.reject(new Error('Database is not open')) } as Partial<DirectoryClient>
  const init = { onAnswer: async () => undefined, isNeeded: () => false }
  return new RosterLookups(context as EngineContext, directory as DirectoryClient, init)
}

test('an account that comes up while the store closes is no failure: nobody waits for it', async () => {
  await expect(lookupsOfClosedStore().want([account])).resolves.toBeUndefined()
})

test('after a stop, no account is looked for any more', async () => {
  const lookups = lookupsOfClosedStore()
  await lookups.stop()
  await expect(lookups.want([account])).resolves.toBeUndefined()
})

/** How many of forty unknown accounts are asked for before any time passes. */
async function askedAtOnce(isOfFriend: boolean, enough: number): Promise<number> {
  const accounts = Array.from({ length: 40 }, (_, i) => (i + 2).toString(16).padStart(2, '0').repeat(32))
  const context = { timers: new ManualTimers(0), log: SILENT_LOG } as Pick<EngineContext, 'timers' | 'log'>
  const directory = { load: async () => undefined, agree: async () => undefined } as Partial<DirectoryClient>
  const reached = Promise.withResolvers<void>()
  let asked = 0
  const onAnswer = async (): Promise<void> => {
    if (++asked === enough) reached.resolve()
  }
  const lookups = new RosterLookups(context as EngineContext, directory as DirectoryClient, {
    onAnswer,
    isNeeded: () => true
  })
  await lookups.want(accounts, isOfFriend)
  await reached.promise
  await lookups.stop()
  return asked
}

test('the members of a group that a friend names are asked for at once, those that a stranger names by and by', async () => {
  expect(await askedAtOnce(true, 40)).toBe(40)
  expect(await askedAtOnce(false, STRANGER_BURST)).toBe(STRANGER_BURST)
})
