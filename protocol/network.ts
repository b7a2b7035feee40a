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

/** How the lists of nodes follow the chain, see docs/network.md. */
export interface ChainPlacement {
  /** A list may change at each block whose height is a multiple of this. */
  epochBlocks: number
  /** Blocks on top of such a block before what stands up to it makes a list: the same for all nodes of a network. */
  finalBlocks: number
  /** 32 bytes: `configuredSeed` of the list that is in force until the chain makes one. */
  firstList: Uint8Array
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
  /**
   * Operators that are admitted from the start, each by the Ed25519 signing key of its account's first device: account ids
   * cover the network's id, so that genesis cannot name one. See docs/directory.md.
   */
  admittedOperators: Uint8Array[]
  /** Absent where the list of nodes is the configured one for good. */
  placement?: ChainPlacement | undefined
}

/**
 * Names a network by everything in its genesis, so that no node can give a device another one under the same name: with a
 * salt of its own it would lead every search for a name to an account of its choice.
 */
export function networkIdOf(crypto: Crypto, genesis: Genesis): NetworkId {
  const { cardanoMagic, metadataLabel, shardCount, replicaCount, nameSalt, nameTagCost, releaseKey, placement } =
    genesis
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
      [...genesis.admittedOperators].sort(compareBytes),
      // Part of the id: a client must not be told that its network takes any list.
      ...(placement ? [[placement.epochBlocks, placement.finalBlocks, placement.firstList]] : [])
    ])
  ) as NetworkId
}
