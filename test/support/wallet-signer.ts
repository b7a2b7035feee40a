/** A Cardano wallet without a screen: a real Ed25519 key that signs as CIP-30's `signData` does, every byte of it open to a test. */
import { blake2b } from '@noble/hashes/blake2.js'
import { encodeArray, encodeBytes, encodeHead, encodeMap, encodeUint } from '../../chain/devnet/cbor-writer.ts'
import { concatBytes, utf8 } from '../../protocol/bytes.ts'
import { createNodeCrypto } from '../../protocol/crypto/backends/node-crypto.ts'
import type { SigningKey } from '../../protocol/crypto/crypto.ts'

const crypto = createNodeCrypto()

/** A negative number in CBOR. */
export const negative = (value: number): Uint8Array => Uint8Array.from(encodeHead(1, BigInt(-1 - value)))
export const unsigned = (value: number): Uint8Array => encodeUint(BigInt(value))
export const word = (text: string): Uint8Array =>
  concatBytes(Uint8Array.from(encodeHead(3, BigInt(text.length))), utf8(text))
export const NO = Uint8Array.of(0xf4)
export const YES = Uint8Array.of(0xf5)

type Pairs = [Uint8Array, Uint8Array][]

/** What a test changes of an answer. */
export interface WalletChanges {
  protected?: Pairs
  unprotected?: Pairs
  payload?: Uint8Array
  /** What is signed in place of the payload. */
  signedPayload?: Uint8Array
  key?: Pairs
  signature?: Uint8Array
}

export class WalletSigner {
  readonly key: SigningKey
  /** Reward address of the testnets. */
  readonly rewardAddress: Uint8Array
  /** Enterprise address of the testnets. */
  readonly paymentAddress: Uint8Array

  private constructor(key: SigningKey) {
    this.key = key
    this.rewardAddress = this.address(0xe0)
    this.paymentAddress = this.address(0x60)
  }

  static async make(seed = 7): Promise<WalletSigner> {
    return new WalletSigner(await crypto.signingKeyFromSeed(new Uint8Array(32).fill(seed)))
  }

  /** @param header - kind and network. @param rest - what follows the hash of the key. */
  address(header: number, rest = new Uint8Array(0)): Uint8Array {
    return concatBytes(Uint8Array.of(header), blake2b(this.key.publicKey, { dkLen: 28 }), rest)
  }

  /** The protected header as wallets write it. */
  header(address: Uint8Array): Pairs {
    return [
      [unsigned(1), negative(-8)],
      [word('address'), encodeBytes(address)]
    ]
  }

  /** The key as wallets write it. */
  coseKey(): Pairs {
    return [
      [unsigned(1), unsigned(1)],
      [unsigned(3), negative(-8)],
      [negative(-1), unsigned(6)],
      [negative(-2), encodeBytes(this.key.publicKey)]
    ]
  }

  async sign(
    address: Uint8Array,
    text: string,
    changes: WalletChanges = {}
  ): Promise<{ signature: Uint8Array; key: Uint8Array }> {
    const header = encodeMap(changes.protected ?? this.header(address))
    const payload = changes.payload ?? utf8(text)
    const signed = encodeArray([
      word('Signature1'),
      encodeBytes(header),
      encodeBytes(new Uint8Array(0)),
      encodeBytes(changes.signedPayload ?? payload)
    ])
    const signature = changes.signature ?? (await this.key.sign(signed))
    const sign1 = encodeArray([
      encodeBytes(header),
      encodeMap(changes.unprotected ?? [[word('hashed'), NO]]),
      encodeBytes(payload),
      encodeBytes(signature)
    ])
    return { signature: sign1, key: encodeMap(changes.key ?? this.coseKey()) }
  }
}
