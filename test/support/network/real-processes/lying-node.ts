/**
 * `volo-node` with a tongue of its own: a whole node that, told so by its parent process, answers questions about accounts
 * and names with lies, over HTTP and on the stream alike.
 */
import { KeyDistributionService } from '../../../../node/key-directory/key-distribution-service.ts'
import { fromHex, toHex } from '../../../../protocol/bytes.ts'
import { decodeProof, type AccountProof } from '../../../../protocol/directory/proofs/proof.ts'
import type { AccountId } from '../../../../protocol/identity/device.ts'
import { SeededRandom } from '../../seeded-random.ts'
import { answersWith, type DirectoryAnswers } from '../../verify/lied-frames.ts'
import { LIES, type LieCast, type LiePerson } from '../../verify/lies.ts'
import type { Lie } from '../../verify/node-server.ts'
import { Person, type Ledger } from '../../verify/published-world.ts'

/** A person whose ids and keys a lie uses. */
export interface ToldPerson {
  name: string
  /** Hex of the account id, the last record's id, and the honest proof. */
  id: string
  head: string
  proof: string
}

/** What the parent process sends to the node: which lie to use from now on, or none. It answers with the same number. */
export interface LieOrder {
  number: number
  lie: {
    kind: string
    seed: number
    stolenDevice: number
    victim: ToldPerson
    other: ToldPerson
    liar: ToldPerson
  } | null
}

let lie: Lie | undefined

const SILENT_LEDGER: Ledger = {
  publish: () => Promise.reject(new Error('a lying node publishes nothing')),
  forge: () => Promise.reject(new Error('a lying node makes no blocks'))
}

async function makeLie({ kind, seed, stolenDevice, ...told }: NonNullable<LieOrder['lie']>): Promise<Lie> {
  const proofs = new Map<string, AccountProof>()
  const person = ({ name, id, head, proof }: ToldPerson): LiePerson => {
    proofs.set(id, decodeProof(fromHex(proof)))
    return Person.known(SILENT_LEDGER, { name, id, head })
  }
  const cast: LieCast = {
    victim: person(told.victim),
    other: person(told.other),
    liar: person(told.liar),
    stolenDevice,
    proofOf: ({ id }) => proofs.get(id)!
  }
  return LIES[kind]!(new SeededRandom(seed), cast)
}

const { accountProof, names } = KeyDistributionService.prototype

function answersOf(service: KeyDistributionService, maxBytes: number): DirectoryAnswers {
  return answersWith(lie, {
    proof: accountId => accountProof.call(service, accountId, maxBytes),
    names: async tagPrefix => (await names.call(service, tagPrefix)).matches
  })
}

KeyDistributionService.prototype.accountProof = async function (accountId: AccountId, maxBytes: number) {
  const proof = await answersOf(this, maxBytes).proof(accountId)
  if (proof?.length === 0) throw new Error(`nothing to say about ${toHex(accountId)}`)
  return proof
}

KeyDistributionService.prototype.names = async function (tagPrefix: Uint8Array) {
  if (!lie) return names.call(this, tagPrefix)
  const matches = await answersOf(this, 0).names(tagPrefix)
  return { matches: matches.map(match => ({ ...match, state: 'recorded' as const })), complete: true }
}

process.on('message', (order: LieOrder) => {
  const obey = async (): Promise<void> => {
    lie = order.lie ? await makeLie(order.lie) : undefined
    process.send!({ number: order.number })
  }
  obey().catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})

await import('../../../../node/main.ts')
