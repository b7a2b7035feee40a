/**
 * What a node answers when it is asked for the releases of the web app: the raw transactions with RELEASE records, their
 * places, and the tip it saw. Each record is signed by the release key of genesis, so none can be forged; what a lone source
 * can do is withhold the newest ones.
 */
import { constant, decode, encode, list, struct, uint, bytes, type TypeOf } from '../../codec.ts'
import type { Crypto } from '../../crypto/crypto.ts'
import { ProtocolError } from '../../errors.ts'
import type { RecordId } from '../../identity/device.ts'
import { decodeRecord, recordIdOf, recordSigningBytes } from '../../identity/record.ts'
import { MAX_TRANSACTION_BYTES } from '../../limits.ts'
import type { Genesis, NetworkId } from '../../network.ts'
import { bytesKey, type OrderKey } from '../order.ts'
import { proofTransactionCodec, readTransaction, requirePlaces } from './proof.ts'

/** Transactions that one answer holds; with more releases than that, the newest ones. */
export const MAX_RELEASE_TRANSACTIONS = 64
/** Longest encoded answer, in bytes. */
export const MAX_RELEASE_PROOF_BYTES = MAX_RELEASE_TRANSACTIONS * (MAX_TRANSACTION_BYTES + 1_024)

const releaseProofCodec = struct({
  version: constant(1),
  /** In chain order. */
  transactions: list(proofTransactionCodec, MAX_RELEASE_TRANSACTIONS),
  /** The last block that the node saw; `time` in milliseconds since 1970. */
  tip: struct({ height: uint(), hash: bytes(32), time: uint() })
})

/** Decoded, not checked yet: see {@link checkReleaseProof}. */
export type ReleaseProof = TypeOf<typeof releaseProofCodec>

/** Canonical bytes of a proof. */
export function encodeReleaseProof(proof: ReleaseProof): Uint8Array {
  return encode(releaseProofCodec, proof)
}

/** @throws ProtocolError `MALFORMED`, `TOO_LARGE`. */
export function decodeReleaseProof(proof: Uint8Array): ReleaseProof {
  return decode(releaseProofCodec, proof, { maxBytes: MAX_RELEASE_PROOF_BYTES, maxDepth: 5 })
}

/** A release, and the place of its record. */
export interface PlacedRelease {
  readonly recordId: RecordId
  /** 1 to 32 bytes, UTF-8 by convention. */
  readonly version: Uint8Array
  /** SHA-256 of the web app's manifest, 32 bytes. */
  readonly manifestHash: Uint8Array
  readonly order: OrderKey
  /** 32 bytes. */
  readonly transactionId: Uint8Array
  /** 32 bytes. */
  readonly blockHash: Uint8Array
}

/** Releases as one proof shows them. */
export interface CheckedReleases {
  /** In chain order, the newest last. */
  readonly releases: readonly PlacedRelease[]
  readonly tip: ReleaseProof['tip']
}

/**
 * Checks each transaction's id and its hold on the metadata, and each record's signature.
 * @throws ProtocolError `MALFORMED`, `TOO_LARGE`, or `INVALID` for anything that the fold would not list as a release.
 */
export async function checkReleaseProof(
  crypto: Crypto,
  network: NetworkId,
  { metadataLabel, releaseKey }: Pick<Genesis, 'metadataLabel' | 'releaseKey'>,
  proof: ReleaseProof
): Promise<CheckedReleases> {
  requirePlaces(proof)
  if (releaseKey === null && proof.transactions.length > 0) throw refused('the network has no releases of its own')
  const seen = new Set<string>()
  const releases: PlacedRelease[] = []
  for (const transaction of proof.transactions) {
    const { transactionId, records } = readTransaction(transaction, metadataLabel)
    for (const { bytes: encoded, order } of records) {
      const record = decodeRecord(encoded)
      if (record.kind !== 'release') throw refused('a record is no release')
      const signed = recordSigningBytes(network, record)
      if (!(await crypto.verify(releaseKey!, signed, record.releaseSignature))) {
        throw refused("a release is not signed by the network's release key")
      }
      const recordId = recordIdOf(crypto, network, record)
      if (seen.has(bytesKey(recordId))) throw refused('a release stands in two places')
      seen.add(bytesKey(recordId))
      const { version, manifestHash } = record
      const { blockHash } = transaction
      releases.push({ recordId, version, manifestHash, order: order!, transactionId, blockHash })
    }
  }
  return { releases, tip: proof.tip }
}

const refused = (message: string): ProtocolError => new ProtocolError('INVALID', message)
