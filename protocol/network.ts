import type { Brand } from './brand.ts'
import { compareBytes } from './bytes.ts'
import { encodeCbor } from './cbor.ts'
import type { Crypto } from './crypto/crypto.ts'

/** 32 bytes that name a network; part of every label. */
export type NetworkId = Brand<Uint8Array, 'NetworkId'>

/** Argon2id cost of a username's tag on chain. */
export interface NameTagCost {
  memoryKib: number
  passes: number
}

/** What never changes in a network. All of it makes the {@link NetworkId}. */
export interface Genesis {
  /** Cardano network magic: 764824073 mainnet, 1 preprod, 2 preview; 42 the local devnet. */
  cardanoMagic: number
  /** Transaction metadata label of the records. */
  metadataLabel: number
  /** Number of shards that mailboxes and accounts map to. */
  shardCount: number
  /** Nodes of different operators that keep one shard. */
  replicaCount: number
  /** 16 bytes that salt every username tag of this network. */
  nameSalt: Uint8Array
  nameTagCost: NameTagCost
  /** Ed25519 public key that signs RELEASE records; `null` where a network has no releases of its own. */
  releaseKey: Uint8Array | null
  /** Operators (see {@link OperatorId}) that are admitted from the start. */
  admittedOperators: Uint8Array[]
}

/**
 * Names a network by everything in its genesis, so that no node can give a device another one under the same name: with a
 * salt of its own it would lead every search for a name to an account of its choice.
 */
export function networkIdOf(crypto: Crypto, genesis: Genesis): NetworkId {
  const { cardanoMagic, metadataLabel, shardCount, replicaCount, nameSalt, nameTagCost, releaseKey } = genesis
  return crypto.sha256(
    encodeCbor([
      'volo/1/network',
      cardanoMagic,
      metadataLabel,
      shardCount,
      replicaCount,
      nameSalt,
      nameTagCost.memoryKib,
      nameTagCost.passes,
      releaseKey,
      [...genesis.admittedOperators].sort(compareBytes)
    ])
  ) as NetworkId
}
