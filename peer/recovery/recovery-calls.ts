/** The calls about the recovery code. The code itself is never stored here: it exists on paper. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { deviceOf, isLive, recoveryAt, type AccountState } from '../../protocol/directory/account.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { buildSetRecovery } from '../../protocol/identity/build-record.ts'
import { encodeRecord } from '../../protocol/identity/record.ts'
import {
  createRecoverySecret,
  formatRecoveryCode,
  parseRecoveryCode,
  recoveryKeyOf
} from '../../protocol/identity/recovery-code.ts'
import type { SigningKey } from '../../protocol/crypto/crypto.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { NodeRefusal, type NodeConnection } from '../network/node-connection.ts'
import type { Me, RecoveryApi, RecoveryChoice, RecoveryDraft, RecoveryState } from '../peer-api.ts'
import type { OwnAccount } from '../store/own-account.ts'

/** A record that another one of this account overtook is signed again, at most so often. */
const MAX_ATTEMPTS = 4

export interface RecoveryCallsComponents {
  context: EngineContext
  directory: DirectoryClient
  connection: () => NodeConnection | undefined
  account: () => OwnAccount
  /** Regains an account on a device that has none. */
  regain: (choice: RecoveryChoice) => Promise<Me>
  /** Called when a screen has something else to show. */
  onChange: () => void
}

export class RecoveryCalls implements RecoveryApi {
  readonly #components: RecoveryCallsComponents

  constructor(components: RecoveryCallsComponents) {
    this.#components = components
  }

  async state(): Promise<RecoveryState> {
    return this.#stateOf(await this.#ownAccount())
  }

  async draft(): Promise<RecoveryDraft> {
    const { context, account } = this.#components
    const secret = createRecoverySecret(context.random)
    const code = formatRecoveryCode(context.crypto, context.network().id, secret)
    secret.fill(0)
    return { code, text: textOf(code, account().name?.username ?? null) }
  }

  async set(code: string): Promise<RecoveryState> {
    const key = await recoveryKeyFrom(this.#components.context, code)
    return this.#publish(key.publicKey)
  }

  async refuse(): Promise<RecoveryState> {
    const state = await this.state()
    return state.waiting === null ? state : this.#publish(null)
  }

  use(choice: RecoveryChoice): Promise<Me> {
    return this.#components.regain(choice)
  }

  /** Signs and hands in, again if another record of the account came in between. */
  async #publish(key: Uint8Array | null): Promise<RecoveryState> {
    for (let attempt = 1; ; attempt++) {
      const account = await this.#ownAccount()
      if (key && this.#holds(account, key)) return this.#stateOf(account)
      try {
        await this.#handIn(account, key)
      } catch (error) {
        if (!(error instanceof NodeRefusal)) throw error
        if (attempt >= MAX_ATTEMPTS) throw new PeerError('refused', { refusal: error.code }, { cause: error })
        continue
      }
      this.#components.onChange()
      return this.#stateOf(await this.#ownAccount())
    }
  }

  async #handIn(account: AccountState, key: Uint8Array | null): Promise<void> {
    const { context, connection } = this.#components
    const online = connection()
    if (!online) throw new PeerError('offline', { origin: null })
    const { deviceId, signingKey } = context.device()
    const signer = deviceOf(account, deviceId)
    if (!signer || !isLive(signer)) throw new PeerError('held', { reason: 'device-removed', username: null })
    const { waitingRecovery } = recoveryAt(account, context.timers.now())
    const setter = waitingRecovery && deviceOf(account, waitingRecovery.by)
    if (setter && setter.seniority < signer.seniority) throw new PeerError('recovery-waits')
    const by = { key: signingKey, deviceId, prev: account.head, time: context.timers.now() }
    const record = encodeRecord(await buildSetRecovery(context.network().id, by, key))
    await online.request({ kind: 'publishRecords', records: [record] }, 'done')
  }

  #holds({ recoveryKey, waitingRecovery }: AccountState, key: Uint8Array): boolean {
    return [recoveryKey, waitingRecovery?.key].some(held => held && equalBytes(held, key))
  }

  /** As a node tells it now, or as it was last seen. @throws PeerError `no-account`. */
  async #ownAccount(): Promise<AccountState> {
    const { context, directory, connection } = this.#components
    const accountId = context.accountId()
    const known = connection() ? await directory.refresh(accountId) : await directory.load(accountId)
    if (!known) throw new PeerError('no-account')
    return known.checked.account
  }

  #stateOf(account: AccountState): RecoveryState {
    const { context } = this.#components
    const { recoveryKey, waitingRecovery } = recoveryAt(account, context.timers.now())
    return {
      isSet: recoveryKey !== null,
      waiting: waitingRecovery && {
        byDevice: toHex(waitingRecovery.by),
        isByThis: equalBytes(waitingRecovery.by, context.device().deviceId),
        countsFrom: waitingRecovery.from
      }
    }
  }
}

/** The key of a code as a person typed it. @throws PeerError `recovery-code`. */
export async function recoveryKeyFrom(
  { crypto, network }: Pick<EngineContext, 'crypto' | 'network'>,
  text: string
): Promise<SigningKey> {
  const { id } = network()
  try {
    const secret = parseRecoveryCode(crypto, id, text)
    const key = await recoveryKeyOf(crypto, id, secret)
    secret.fill(0)
    return key
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new PeerError('recovery-code', { fault: error.code === 'INVALID' ? 'mistyped' : 'malformed' })
  }
}

function textOf(code: string, username: string | null): string {
  return [
    `Volo recovery code${username === null ? '' : ` of @${username}`}`,
    '',
    code,
    '',
    'With this code you regain your account and username when all your devices are gone.',
    'It ends every device that the account has then. It works once.',
    'Whoever finds it can do the same: keep it where you keep your passport.',
    ''
  ].join('\n')
}
