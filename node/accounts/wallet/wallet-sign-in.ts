import { equalBytes, toHex, utf8 } from '../../../protocol/bytes.ts'
import type { Clock, Crypto, Random } from '../../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import { deviceKeyHash } from '../../../protocol/identity/attestation.ts'
import type { DevicePublicKeys } from '../../../protocol/identity/device.ts'
import type { NetworkId } from '../../../protocol/network.ts'
import { NodeError } from '../../errors.ts'
import { addressKey } from '../../limits/address-key.ts'
import { OneTimeStore } from '../sign-in/one-time-store.ts'
import { WALLET_PROVIDER, type SignInService } from '../sign-in/sign-in-service.ts'
import { credentialOf, isDataSignature, parseDataSignature } from './data-signature.ts'

/** Time to confirm in the wallet. */
export const WALLET_CHALLENGE_TTL_MS = 5 * 60 * 1000
const MAX_CHALLENGES = 50_000
const MAX_CHALLENGES_PER_ADDRESS = 200

interface Challenge {
  keys: DevicePublicKeys
  /** Raw address. */
  address: Uint8Array
  payload: Uint8Array
}

/** What a wallet answered. */
export interface WalletAnswer {
  /** Lower-case hex, as the challenge named it. */
  nonce: string
  /** COSE_Sign1. */
  signature: Uint8Array
  /** COSE_Key. */
  key: Uint8Array
}

export interface WalletSignInComponents {
  crypto: Crypto
  clock: Clock
  random: Random
  signIn: Pick<SignInService, 'accept'>
}

/**
 * Sign-in with a Cardano wallet: it signs a text that names this node, this network, the device's keys, a nonce and an end. What comes
 * out is the one-time code of any other sign-in. The node keeps neither address nor key.
 */
export class WalletSignIn {
  readonly #components: WalletSignInComponents
  readonly #init: { network: NetworkId; isMainnet: boolean }
  readonly #challenges: OneTimeStore<Challenge>

  constructor(components: WalletSignInComponents, init: { network: NetworkId; isMainnet: boolean }) {
    this.#components = components
    this.#init = init
    this.#challenges = new OneTimeStore(components, {
      ttlMs: WALLET_CHALLENGE_TTL_MS,
      maxEntries: MAX_CHALLENGES,
      maxPerOwner: MAX_CHALLENGES_PER_ADDRESS
    })
  }

  /**
   * @param address - raw address that the wallet will sign for. @param origin - under which the browser sees this node.
   * @param client - the client's address, to bound what one may have open.
   * @returns the text to sign.
   */
  challenge(
    keys: DevicePublicKeys,
    address: Uint8Array,
    { origin, client }: { origin: string; client: string }
  ): { nonce: string; payload: string; expiresAt: number } {
    const { crypto, clock, random } = this.#components
    const { network, isMainnet } = this.#init
    const nonce = toHex(random(32))
    const expiresAt = clock() + WALLET_CHALLENGE_TTL_MS
    const payload = [
      'Sign in to Volo. This moves no ada, and gives no access to your wallet.',
      `At: ${origin}`,
      `Network: ${toHex(network)} on Cardano ${isMainnet ? 'mainnet' : 'testnet'}`,
      `Device: ${toHex(deviceKeyHash(crypto, network, keys))}`,
      `Nonce: ${nonce}`,
      `Good until: ${new Date(expiresAt).toISOString()}`
    ].join('\n')
    this.#challenges.put(nonce, { keys, address, payload: utf8(payload) }, addressKey(client))
    return { nonce, payload, expiresAt }
  }

  /**
   * Takes what the wallet signed. A nonce serves one attempt, good or bad.
   * @returns a one-time code for the device.
   * @throws NodeError `bad-nonce`; ProtocolError `MALFORMED`, `TOO_LARGE`, or `BAD_SIGNATURE` for another text, address, network or key.
   */
  async finish(keys: DevicePublicKeys, { nonce, signature, key }: WalletAnswer, client: string): Promise<string> {
    const challenge = this.#challenges.redeem(nonce)
    const isOwn =
      challenge &&
      equalBytes(challenge.keys.signingKey, keys.signingKey) &&
      equalBytes(challenge.keys.messagingKeyHash, keys.messagingKeyHash)
    if (!isOwn) throw new NodeError('bad-nonce', 'The sign-in is unknown, used, too old, or of another device.')
    const signed = parseDataSignature(signature, key)
    if (!equalBytes(signed.payload, challenge.payload)) throw refused('the wallet signed another text')
    if (!equalBytes(signed.address, challenge.address)) throw refused('the wallet signed for another address')
    const credential = credentialOf(signed, this.#init.isMainnet)
    if (!(await isDataSignature(this.#components.crypto, signed))) throw refused('the signature does not hold')
    return this.#components.signIn.accept({ provider: WALLET_PROVIDER, subject: toHex(credential) }, keys, client)
  }
}

const refused = (what: string): ProtocolError => new ProtocolError('BAD_SIGNATURE', what)
