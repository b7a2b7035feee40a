import { toHex } from '../../protocol/bytes.ts'
import { parseDisplayName } from '../../protocol/identity/display-name.ts'
import { PeerError } from '../errors.ts'
import { PROFILE_REVISION, profileBody } from '../sending/profile.ts'
import type { DeliveryTokens } from '../sending/delivery-tokens.ts'
import type { Sealer } from '../sending/sealer.ts'
import { ownAccountSlot, type ChangeAccount, type OwnAccount } from '../store/own-account.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import { slots, type Conversation } from '../store/store-layout.ts'
import type { ProfileChange } from '../peer-api.ts'

export interface OwnProfileComponents {
  states: StateStore
  sealer: Sealer
  tokens: DeliveryTokens
  conversations: () => Conversation[]
  changeAccount: ChangeAccount
}

/** What others see of the account's owner, as the owner chooses it. */
export class OwnProfile {
  readonly #components: OwnProfileComponents

  constructor(components: OwnProfileComponents) {
    this.#components = components
  }

  /**
   * Stores the change together with a message to each conversation that has our profile. Other conversations get the profile
   * as it is then with the first message.
   * @throws PeerError `display-name`.
   */
  async change({ displayName }: ProfileChange): Promise<void> {
    const { name, fault } = parseDisplayName(displayName)
    if (fault !== null) throw new PeerError('display-name', { fault })
    const { states, changeAccount } = this.#components
    await changeAccount(
      account => ({ ...account, displayName: name }),
      account => states.unit(unit => this.#store(unit, account))
    )
  }

  async #store(unit: UnitOfWork, account: OwnAccount): Promise<void> {
    const { sealer, tokens, conversations } = this.#components
    unit.write(ownAccountSlot, account)
    const profile = profileBody(account, await tokens.own(unit))
    for (const { conversationId, kind } of conversations()) {
      // What is in memory for the screens does not follow the profile.
      const given = (await unit.read(slots.conversation(toHex(conversationId))))?.profileGiven ?? 0
      if (kind === 'notes' || given < PROFILE_REVISION) continue
      await sealer.enqueue(unit, conversationId, profile)
    }
  }
}
