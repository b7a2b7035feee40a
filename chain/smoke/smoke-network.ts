import { toHex, utf8 } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { DEFAULT_NAME_TAG_COST } from '../../protocol/identity/username.ts'
import { DEFAULT_REPLICA_COUNT, DEFAULT_SHARD_COUNT } from '../../protocol/limits.ts'
import type { Genesis } from '../../protocol/network.ts'

/** Private-use label (CIP-10) of smoke runs, so that they add to no other history. */
export const SMOKE_LABEL = 86_079

/** The network that smoke runs publish to; the same in every run, so that each reads what the earlier ones left. */
export function smokeGenesis(crypto: Crypto, cardanoMagic: number): Genesis {
  return {
    cardanoMagic,
    metadataLabel: SMOKE_LABEL,
    shardCount: DEFAULT_SHARD_COUNT,
    replicaCount: DEFAULT_REPLICA_COUNT,
    nameSalt: crypto.sha256(utf8('volo smoke network')).slice(0, 16),
    nameTagCost: DEFAULT_NAME_TAG_COST,
    releaseKey: null,
    admittedOperators: []
  }
}

/** As JSON, in the form that `volo-verify --network` reads. */
export function genesisText(genesis: Genesis): string {
  const bytesAsHex = (_key: string, value: unknown): unknown => (value instanceof Uint8Array ? toHex(value) : value)
  return `${JSON.stringify({ genesis }, bytesAsHex, 2)}\n`
}
