import { fromHex, toHex } from '../../protocol/bytes.ts'
import { encode } from '../../protocol/codec.ts'
import type { Clock, SigningKey } from '../../protocol/crypto/crypto.ts'
import type { AccountId, DevicePublicKeys } from '../../protocol/identity/device.ts'
import { linkedAccountCodec, signLinkedAccount } from '../../protocol/identity/linked-account.ts'
import type { NetworkId } from '../../protocol/network.ts'
import type { SignInService } from '../accounts/sign-in/sign-in-service.ts'
import { NodeError } from '../errors.ts'
import { RateLimiter } from '../limits/rate-limiter.ts'

const HOUR_MS = 60 * 60 * 1000
/** Links that one account may make in an hour. */
export const LINKS_PER_HOUR = 20

export interface AccountLinksComponents {
  clock: Clock
  nodeKey: SigningKey
  signIn: Pick<SignInService, 'redeemForLink'>
}

/**
 * Says of people who signed in with a provider that they did, so that their profile can say it. The node keeps nothing of it: neither id
 * nor name, nor that there was a link.
 */
export class AccountLinks {
  readonly #components: AccountLinksComponents
  readonly #network: NetworkId
  readonly #perAccount: RateLimiter

  constructor(components: AccountLinksComponents, init: { network: NetworkId }) {
    this.#components = components
    this.#network = init.network
    this.#perAccount = new RateLimiter(components, { limit: LINKS_PER_HOUR, windowMs: HOUR_MS })
  }

  /**
   * Uses up the one-time code of a finished sign-in. Only the device that began it can: it shows the secret whose hash the sign-in began
   * with. So a link that signs a victim in, a callback in another browser, and a code that an attacker sends leave nothing behind.
   *
   * @param account - of the device that asks, lower-case hex, as its signature showed.
   * @returns hex of the encoded statement.
   * @throws NodeError `bad-code`, `rate-limited`.
   */
  async attest(
    { account, keys }: { account: string; keys: DevicePublicKeys },
    code: string,
    secret: Uint8Array
  ): Promise<string> {
    if (!this.#perAccount.spend(account)) {
      throw new NodeError('rate-limited', 'Too many links; try again in an hour.')
    }
    const { clock, nodeKey, signIn } = this.#components
    const { provider, handle } = signIn.redeemForLink(code, keys, secret)
    const accountId = fromHex(account, 32) as AccountId
    const linked = await signLinkedAccount(this.#network, nodeKey, accountId, { provider, handle, time: clock() })
    return toHex(encode(linkedAccountCodec, linked))
  }
}
