import { describe, expect, test } from 'vitest'
import { equalBytes } from '../../../../protocol/bytes.ts'
import { Maintenance, type MaintenanceComponents } from '../../../../peer/maintenance/maintenance.ts'
import type { KnownAccount } from '../../../../peer/directory/known-account.ts'
import { SILENT_LOG } from '../../../../peer/ports.ts'
import type { AccountId } from '../../../../protocol/identity/device.ts'

const bob = new Uint8Array(32).fill(2) as AccountId
const conversation = { conversationId: new Uint8Array(32).fill(3), accountId: bob, updatedAt: 0 }

/** Maintenance over parts that only note what they are asked for. */
function createHousekeeping(init: { known?: Partial<KnownAccount>; refusesBundles?: boolean } = {}) {
  const asked: string[] = []
  const note = (what: string) => async () => void asked.push(what)
  const known = { accountId: bob, agreement: null, contradicted: false, checked: { places: [] }, ...init.known }
  const components = {
    context: {
      timers: { now: () => 1_000, monotonic: () => 1_000, after: () => () => undefined },
      log: SILENT_LOG,
      store: { renewSecrets: async () => undefined },
      accountId: () => new Uint8Array(32).fill(1),
      device: () => ({
        isBundleDue: () => init.refusesBundles ?? false,
        bundle: () => Promise.reject(new Error('refused'))
      }),
      network: () => ({})
    },
    directory: {
      account: note('own record'),
      peek: () => known,
      refresh: note('record of Bob'),
      agree: async (id: AccountId) =>
        void asked.push(equalBytes(id, bob) ? 'second opinion on Bob' : 'second opinion on us'),
      opinion: { isThere: true }
    },
    conversations: { all: () => [conversation], get: () => conversation, isPartner: () => true },
    roster: { partnersOf: () => [bob] },
    receiver: { forgetSessions: note('sessions') },
    upkeep: { run: note('conversation') },
    tokens: { publish: async () => undefined },
    connection: () => ({})
  }
  const maintenance = new Maintenance(components as unknown as MaintenanceComponents)
  maintenance.start()
  return { maintenance, asked }
}

describe('a round', () => {
  test('is done to its end though the node refuses a part of it', async () => {
    const { maintenance, asked } = createHousekeeping({ refusesBundles: true })
    await maintenance.round()
    expect(asked).toEqual(expect.arrayContaining(['own record', 'conversation']))
  })

  test('asks anew about somebody on whom two operators contradict each other: nothing is sent to them meanwhile', async () => {
    const { maintenance, asked } = createHousekeeping({ known: { contradicted: true } })
    await maintenance.round()
    expect(asked).toContain('record of Bob')
  })

  test('asks a second operator again about a person on whom none agreed yet, and about the own account', async () => {
    const { maintenance, asked } = createHousekeeping()
    await maintenance.round()
    expect(asked).toEqual(expect.arrayContaining(['second opinion on Bob', 'second opinion on us']))
  })
})
