import { expect, test } from 'vitest'
import type { DirectoryClient } from '../../../../peer/directory/directory-client.ts'
import type { EngineContext } from '../../../../peer/engine-context.ts'
import { SILENT_LOG } from '../../../../peer/ports.ts'
import { RosterLookups } from '../../../../peer/receiving/roster-lookups.ts'
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
