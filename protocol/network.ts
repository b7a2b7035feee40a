import type { Brand } from './brand.ts'
import { encodeCbor } from './cbor.ts'
import type { Crypto } from './crypto/crypto.ts'

/** 32 bytes that name a network; part of every label. */
export type NetworkId = Brand<Uint8Array, 'NetworkId'>

/** Argon2id cost of a username's tag on chain. */
export interface NameTagCost {
  memoryKib: number
  passes: number
}

/** What never changes in a network. The first four make its {@link NetworkId}. */
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

/** Names a network by the parameters that its members must share. */
export function networkIdOf(crypto: Crypto, genesis: Genesis): NetworkId {
  const { cardanoMagic, metadataLabel, shardCount, replicaCount } = genesis
  return crypto.sha256(
    encodeCbor(['volo/1/network', cardanoMagic, metadataLabel, shardCount, replicaCount])
  ) as NetworkId
}
