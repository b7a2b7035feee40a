/** Accounts elsewhere that people say are theirs, with the word of the node that saw them sign in there. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { struct, type TypeOf } from '../../protocol/codec.ts'
import { accountIdCodec, type AccountId } from '../../protocol/identity/device.ts'
import { linkedAccountsCodec, isLinkedAccount, type LinkedAccount } from '../../protocol/identity/linked-account.ts'
import type { EngineContext } from '../engine-context.ts'
import type { AccountLink } from '../peer-api.ts'
import { entry } from '../store/conversation-entries.ts'
import type { Slot, StateStore, UnitOfWork } from '../store/state-store.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Names elsewhere change hands: an older word is shown as old. */
export const LINK_FRESH_MS = 365 * DAY_MS
/** How far a node's clock may be ahead of ours. */
const CLOCK_SLACK_MS = DAY_MS

const storedCodec = struct({ accountId: accountIdCodec, accounts: linkedAccountsCodec })
const storedEntry = entry(storedCodec)
const slotOf = (accountId: AccountId): Slot<TypeOf<typeof storedCodec>> => ({
  space: 'person-accounts',
  id: toHex(accountId),
  codec: storedEntry
})

/** Where everybody sees the page of a handle; null for providers that have no such pages, or that we do not know. */
const PAGES: Readonly<Record<string, (handle: string) => string>> = {
  x: handle => `https://x.com/${handle}`,
  github: handle => `https://github.com/${handle}`
}

export class LinkedAccounts {
  readonly #context: EngineContext
  readonly #states: StateStore

  constructor(context: EngineContext, states: StateStore) {
    this.#context = context
    this.#states = states
  }

  async of(accountId: AccountId): Promise<LinkedAccount[]> {
    return (await this.#states.read(slotOf(accountId)))?.accounts ?? []
  }

  /** Takes what a person says; as part of the unit of work of the message that says it. */
  async take(unit: UnitOfWork, accountId: AccountId, accounts: LinkedAccount[]): Promise<void> {
    const before = (await unit.read(slotOf(accountId)))?.accounts ?? []
    if (namesOf(before) !== namesOf(accounts)) unit.write(slotOf(accountId), { accountId, accounts })
  }

  /**
   * What can be shown: words that the named node did not say of this account, or says of a time to come, are left out, and so is a second
   * word about one provider.
   */
  async shown(accountId: AccountId, accounts: readonly LinkedAccount[]): Promise<AccountLink[]> {
    const { crypto, network, timers } = this.#context
    const now = timers.now()
    const links: AccountLink[] = []
    for (const linked of accounts) {
      const { provider, handle, time, nodeKey } = linked
      const isSound =
        time <= now + CLOCK_SLACK_MS &&
        !links.some(link => link.provider === provider) &&
        (await isLinkedAccount(crypto, network().id, accountId, linked))
      if (!isSound) continue
      const node = network().epoch.nodes.find(({ key }) => equalBytes(key, nodeKey))
      const isOld = time + LINK_FRESH_MS <= now
      const url = handle === null ? null : (PAGES[provider]?.(handle) ?? null)
      const state = !node ? 'unlisted' : isOld ? 'old' : 'said'
      links.push({ kind: 'account', provider, handle, url, state, checkedAt: time, checkedBy: node?.url ?? null })
    }
    return links
  }
}

const namesOf = (accounts: readonly LinkedAccount[]): string =>
  accounts.map(({ nodeSignature }) => toHex(nodeSignature)).join()
