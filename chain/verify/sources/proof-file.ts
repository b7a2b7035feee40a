/**
 * A proof that can be kept and checked without any network: one account's records with the network's parameters, and the
 * name that it was exported for. Canonical CBOR, see docs/verify.md.
 */
import { readFile, stat } from 'node:fs/promises'
import {
  bytes,
  bytesBetween,
  constant,
  decode,
  encode,
  list,
  nullable,
  struct,
  text,
  uint,
  type TypeOf
} from '../../../protocol/codec.ts'
import { decodeProof, type AccountProof } from '../../../protocol/directory/proofs/proof.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import { isUsername } from '../../../protocol/identity/username.ts'
import { MAX_ACCOUNT_PROOF_BYTES } from '../../../protocol/limits.ts'
import type { Genesis } from '../../../protocol/network.ts'
import { VerifyError } from '../errors.ts'

/** Version of the file's format. */
export const PROOF_FILE_VERSION = 1
/** Version of a file of a network whose lists of nodes follow the chain: its genesis says how. */
const PLACEMENT_FILE_VERSION = 2
const MAX_USERNAME_LENGTH = 24
const MAX_NAME_MEMORY_KIB = 256 * 1024
const MAX_NAME_PASSES = 16
const MAX_OPERATORS = 1_024
/** Room for all but the proof. */
const MAX_OVERHEAD_BYTES = 64 * 1024
/** Longest file, in bytes. */
export const MAX_PROOF_FILE_BYTES = MAX_ACCOUNT_PROOF_BYTES + MAX_OVERHEAD_BYTES

const genesisFields = {
  cardanoMagic: uint(),
  metadataLabel: uint(),
  shardCount: uint(),
  replicaCount: uint(),
  nameSalt: bytes(16),
  nameTagCost: struct({ memoryKib: uint(MAX_NAME_MEMORY_KIB), passes: uint(MAX_NAME_PASSES) }),
  releaseKey: nullable(bytes(32)),
  admittedOperators: list(bytes(32), MAX_OPERATORS)
}
const placement = struct({ epochBlocks: uint(), finalBlocks: uint(), firstList: bytes(32) })

const format = constant('volo/proof-file')
const contentFields = {
  /** The name without `@`, if the proof was asked for by name; the account must hold it. */
  username: nullable(text(MAX_USERNAME_LENGTH)),
  /** An encoded AccountProof. */
  proof: bytesBetween(1, MAX_ACCOUNT_PROOF_BYTES)
}

const proofFileCodec = struct({
  format,
  version: constant(PROOF_FILE_VERSION),
  genesis: struct(genesisFields),
  ...contentFields
})
const placementFileCodec = struct({
  format,
  version: constant(PLACEMENT_FILE_VERSION),
  genesis: struct({ ...genesisFields, placement }),
  ...contentFields
})

/** What an exported proof holds. */
export type ProofFile = Pick<TypeOf<typeof proofFileCodec>, 'username' | 'proof'> & { genesis: Genesis }

/** A file that was read. */
export interface ReadProof {
  readonly proof: AccountProof
  /** `undefined` in a bare proof, as a node sends it. */
  readonly genesis: Genesis | undefined
  readonly username: string | null
}

export function encodeProofFile(file: ProofFile): Uint8Array {
  const { genesis, ...content } = file
  const { placement, ...rest } = genesis
  if (placement === undefined) {
    return encode(proofFileCodec, { format: 'volo/proof-file', version: PROOF_FILE_VERSION, genesis: rest, ...content })
  }
  return encode(placementFileCodec, {
    format: 'volo/proof-file',
    version: PLACEMENT_FILE_VERSION,
    genesis: { ...rest, placement },
    ...content
  })
}

function decodeEither(input: Uint8Array): ProofFile {
  const limits = { maxBytes: MAX_PROOF_FILE_BYTES, maxDepth: 4 }
  try {
    return decode(proofFileCodec, input, limits)
  } catch (error) {
    try {
      return decode(placementFileCodec, input, limits)
    } catch {
      throw error
    }
  }
}

/** Reads a proof file, or a bare proof as a node sends it. @throws VerifyError `MALFORMED`. */
export function decodeProofFile(input: Uint8Array): ReadProof {
  let fileError: ProtocolError
  try {
    const { genesis, username, proof } = decodeEither(input)
    if (username !== null && !isUsername(username)) throw new ProtocolError('MALFORMED', 'no username is written so')
    return { proof: decodeProof(proof), genesis, username }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    fileError = error
  }
  try {
    return { proof: decodeProof(input), genesis: undefined, username: null }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new VerifyError('MALFORMED', `not a proof: ${fileError.message}`, { cause: fileError })
  }
}

/** @throws VerifyError `MALFORMED`, also for a file that cannot be read. */
export async function readProofFile(path: string): Promise<ReadProof> {
  return decodeProofFile(await readBounded(path, MAX_PROOF_FILE_BYTES))
}

/** Reads a whole regular file of at most so many bytes. @throws VerifyError `MALFORMED`. */
export async function readBounded(path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    const file = await stat(path)
    if (!file.isFile()) throw new VerifyError('MALFORMED', `${path} is not a file`)
    if (file.size > maxBytes) throw new VerifyError('MALFORMED', `${path} has more than ${maxBytes} bytes`)
    return new Uint8Array(await readFile(path))
  } catch (cause) {
    if (cause instanceof VerifyError) throw cause
    const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message
    throw new VerifyError('MALFORMED', `${path} cannot be read: ${reason}`, { cause })
  }
}
