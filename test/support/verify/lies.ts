/**
 * Lies that a node can tell about an account or a name. Each is made from honest answers, with keys of the liar's own, of
 * an accomplice, and of one device of the victim that was stolen and revoked.
 */
import { concatBytes, equalBytes, toHex } from '../../../protocol/bytes.ts'
import { encodeMetadata, recordsOfTransaction } from '../../../protocol/directory/metadata.ts'
import { encodeProof, type AccountProof, type ProofTransaction } from '../../../protocol/directory/proofs/proof.ts'
import { buildAdd } from '../../../protocol/identity/build-record.ts'
import { decodeRecord, encodeRecord, type DirectoryRecord } from '../../../protocol/identity/record.ts'
import { bytesOf, castDevice, genesis, network, signer } from '../directory/cast.ts'
import { rawTransaction } from '../directory/raw-cbor.ts'
import { idOf } from '../directory/test-chain.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { cborAnswer, jsonAnswer, type Lie, type NodeAnswer } from './node-server.ts'
import type { Person } from './published-world.ts'

/** What lies use: ids and device keys of a person, and claims to names signed with them. */
export type LiePerson = Pick<Person, 'name' | 'id' | 'accountId' | 'device' | 'claimRecords'>

/** The victim of the lies, and the liar. */
export interface LieCast {
  victim: LiePerson
  /** Index of the victim's device that was stolen, and revoked by the last record. */
  stolenDevice: number
  /** Another honest person. */
  other: LiePerson
  /** The liar's own account, with all its keys. */
  liar: LiePerson
  /** Honest proof of any account. */
  proofOf(person: LiePerson): AccountProof
}

export type LieMaker = (random: SeededRandom, cast: LieCast) => Promise<Lie> | Lie

const encoder = new TextEncoder()

/** Lies with the victim's proof. */
function aboutProof(cast: LieCast, change: (proof: AccountProof) => AccountProof | Promise<AccountProof>): Lie {
  return async (path, honest) => {
    if (!path.includes(cast.victim.id)) return honest
    return cborAnswer(encodeProof(await change(cast.proofOf(cast.victim))))
  }
}

/** Puts records into a transaction that never was on any chain. */
function invent(random: SeededRandom, records: (DirectoryRecord | Uint8Array)[]): Uint8Array {
  const bytes = records.map(record => (record instanceof Uint8Array ? record : encodeRecord(record)))
  const fee = 170_000 + random.below(100_000)
  return rawTransaction({ aux: encodeMetadata(genesis.metadataLabel, bytes), fee })
}

function recordsIn(transaction: Uint8Array): readonly Uint8Array[] {
  const { metadata } = recordsOfTransaction(transaction, genesis.metadataLabel)
  if (metadata.kind !== 'records') throw new Error('no records')
  return metadata.records
}

/** A place above the last transaction of a proof, at or below its tip. */
function placeAfter(
  { transactions, tip }: AccountProof,
  random: SeededRandom
): Omit<ProofTransaction, 'transaction' | 'recordIndexes'> {
  const last = transactions.at(-1)
  const blockHeight = Math.min(tip.height, (last?.blockHeight ?? 0) + 1)
  const isTip = blockHeight === tip.height
  const isLast = blockHeight === last?.blockHeight
  return {
    blockHeight,
    blockHash: isLast ? last.blockHash : isTip ? tip.hash : random.bytes(32),
    blockTime: Math.max(last?.blockTime ?? 0, tip.time - (tip.height - blockHeight)),
    txIndex: isLast ? last.txIndex + 1 : 0
  }
}

function replaceBytes(haystack: Uint8Array, needle: Uint8Array, replacement: Uint8Array): Uint8Array {
  for (let i = 0; i + needle.length <= haystack.length; i++) {
    if (!equalBytes(haystack.subarray(i, i + needle.length), needle)) continue
    return concatBytes(haystack.subarray(0, i), replacement, haystack.subarray(i + needle.length))
  }
  return haystack
}

/** The key of one of the victim's devices is another one. */
const wrongKey: LieMaker = async (random, cast) => {
  const index = 1 + random.below(cast.stolenDevice)
  const { keys } = await cast.victim.device(index)
  const { keys: mine } = await cast.liar.device(1)
  const isKey = random.chance(0.5)
  const [from, to] = isKey ? [keys.signingKey, mine.signingKey] : [keys.messagingKeyHash, mine.messagingKeyHash]
  const isRehashed = random.chance(0.7)
  return aboutProof(cast, proof => ({
    ...proof,
    transactions: proof.transactions.map(item => {
      const changed = replaceBytes(item.transaction, from, to)
      if (changed === item.transaction || !isRehashed) return { ...item, transaction: changed }
      const records = recordsIn(item.transaction).map(record => replaceBytes(record, from, to))
      return { ...item, transaction: invent(random, records) }
    })
  }))
}

/** One of the transactions is missing. */
const dropped: LieMaker = (random, cast) =>
  aboutProof(cast, proof => {
    const index = random.below(proof.transactions.length)
    return { ...proof, transactions: proof.transactions.filter((_, i) => i !== index) }
  })

/** The latest transactions are withheld, the REVOKE of the stolen device first of all. */
const stale: LieMaker = (random, cast) =>
  aboutProof(cast, proof => {
    const count = 1 + random.below(proof.transactions.length - 1)
    return { ...proof, transactions: proof.transactions.slice(0, -count) }
  })

/** The account is said to be unknown, or its name free. */
const denied: LieMaker = (random, { victim }) => {
  const isName = random.chance(0.5)
  const error = { error: 'not-found', message: 'This node knows of no such account.' }
  return (path, honest) => {
    if (path.includes(victim.id)) return jsonAnswer(error, 404)
    return isName && path.startsWith('/v1/names/') ? jsonAnswer({ matches: [], complete: true }) : honest
  }
}

/** The proof of another account, as it is or under the victim's id. */
const otherUsers: LieMaker = (random, cast) => {
  const person = random.pick([cast.other, cast.liar])
  const isRenamed = random.chance(0.7)
  return aboutProof(cast, proof => {
    const others = cast.proofOf(person)
    return isRenamed ? { ...others, accountId: proof.accountId } : others
  })
}

/** Genuine records in transactions that never were, or at places where they do not stand. */
const invented: LieMaker = (random, cast) => {
  const isMoved = random.chance(0.5)
  const which = random.below(100)
  return aboutProof(cast, proof => {
    const target = which % proof.transactions.length
    const transactions = proof.transactions.map((item, i) => {
      if (i !== target) return item
      if (!isMoved) return { ...item, transaction: invent(random, [...recordsIn(item.transaction)]) }
      const blockHash = random.chance(0.5) ? random.bytes(32) : item.blockHash
      return { ...item, blockHash, txIndex: item.txIndex + 1 + random.below(5) }
    })
    return { ...proof, transactions }
  })
}

/** A device of the liar joins the account, signed by the liar. */
const intruder: LieMaker = (random, cast) => intrude(random, cast, false)

/** The same, signed by the stolen device, whose REVOKE is withheld: the one lie that no signature gives away. */
const stolenKey: LieMaker = (random, cast) => intrude(random, cast, true)

async function intrude(random: SeededRandom, cast: LieCast, isStolen: boolean): Promise<Lie> {
  const { victim, liar, stolenDevice } = cast
  const mine = await castDevice(`${liar.name} intruder ${random.below(1_000_000)}`)
  return aboutProof(cast, async proof => {
    const kept = isStolen ? proof.transactions.slice(0, -1) : proof.transactions
    const head = idOfLast(kept)
    const by = isStolen ? await victim.device(stolenDevice) : await liar.device(1)
    const add = await buildAdd(network, signer(by, head), mine.key, mine.keys.messagingKeyHash)
    const place = placeAfter({ ...proof, transactions: kept }, random)
    return { ...proof, transactions: [...kept, { ...place, transaction: invent(random, [add]), recordIndexes: [0] }] }
  })
}

function idOfLast(transactions: readonly ProofTransaction[]): Uint8Array {
  const last = transactions.at(-1)!
  return idOf(decodeRecord(recordsIn(last.transaction)[last.recordIndexes.at(-1)!]!))
}

/** Parts of two people's proofs in one. */
const spliced: LieMaker = (random, cast) => {
  const from = random.pick([cast.other, cast.liar])
  const kind = random.below(3)
  const at = random.below(100)
  return aboutProof(cast, proof => {
    const foreign = cast.proofOf(from).transactions
    const index = at % proof.transactions.length
    const taken = foreign[at % foreign.length]!
    if (kind === 0) {
      const { transaction, recordIndexes } = taken
      const transactions = proof.transactions.map((item, i) =>
        i === index ? { ...item, transaction, recordIndexes } : item
      )
      return { ...proof, transactions }
    }
    if (kind === 1) {
      const merged = [...proof.transactions, taken].sort(
        (a, b) => a.blockHeight - b.blockHeight || a.txIndex - b.txIndex
      )
      return { ...proof, transactions: merged }
    }
    const recordIndexes = [random.below(4)]
    return {
      ...proof,
      transactions: proof.transactions.map((item, i) => (i === index ? { ...item, recordIndexes } : item))
    }
  })
}

/** The victim's name leads to another account; in some lies that account claims it, earlier, in invented transactions. */
const stolenName: LieMaker = async (random, cast) => {
  const { liar, other, victim } = cast
  const isClaimed = random.chance(0.6)
  const thief = isClaimed ? liar : random.pick([liar, other])
  const [commit, reveal] = await liar.claimRecords(victim.name)
  return (path, honest) => {
    if (path.startsWith('/v1/names/')) {
      const { matches } = JSON.parse(honest.body as string) as { matches: { tag: string }[] }
      return jsonAnswer({ matches: matches.map(match => ({ ...match, accountId: thief.id })), complete: true })
    }
    if (!isClaimed || !path.includes(liar.id)) return honest
    return cborAnswer(encodeProof(withClaim(cast.proofOf(liar), random, commit, reveal)))
  }
}

function withClaim(
  proof: AccountProof,
  random: SeededRandom,
  commit: DirectoryRecord,
  reveal: DirectoryRecord
): AccountProof {
  const transactions = [...proof.transactions]
  for (const record of [commit, reveal]) {
    const place = placeAfter({ ...proof, transactions }, random)
    const blockHeight = place.blockHeight + (record === reveal ? 3 : 0)
    transactions.push({ ...place, blockHeight, transaction: invent(random, [record]), recordIndexes: [0] })
  }
  const height = Math.max(proof.tip.height, transactions.at(-1)!.blockHeight + 1)
  return { ...proof, transactions, tip: { ...proof.tip, height } }
}

/** Another tip: older, younger, or of another block. */
const wrongTip: LieMaker = (random, cast) =>
  aboutProof(cast, proof => {
    const height = Math.max(0, proof.tip.height + random.below(100) - 50)
    const hash = random.chance(0.5) ? random.bytes(32) : proof.tip.hash
    return { ...proof, tip: { ...proof.tip, height, hash } }
  })

/** Blocks were made at other times, which decide how long a revoked device may answer. */
const wrongTime: LieMaker = (random, cast) =>
  aboutProof(cast, proof => {
    const shift = 1 + random.below(100_000_000)
    const from = random.below(proof.transactions.length)
    const transactions = proof.transactions.map((item, i) =>
      i < from ? item : { ...item, blockTime: item.blockTime + shift }
    )
    return { ...proof, transactions }
  })

/** Bits that flipped, or bytes that are missing. */
const noise: LieMaker = (random, cast) => (path, honest) => {
  if (!path.includes(cast.victim.id)) return honest
  const body = Uint8Array.from(honest.body as Uint8Array)
  if (random.chance(0.2)) return { ...honest, body: body.subarray(0, random.below(body.length)) }
  for (let flips = 1 + random.below(3); flips > 0; flips--) body[random.below(body.length)]! ^= 1 << random.below(8)
  return { ...honest, body }
}

/** Answers that are no answers. */
const nonsense: LieMaker = (random, cast) => {
  const answers: NodeAnswer[] = [
    { status: 500, type: 'text/plain', body: 'oops' },
    { status: 200, type: 'text/html', body: '<html>' },
    { status: 404, type: 'text/html', body: 'nothing here' },
    { status: 302, type: 'text/plain', body: '' },
    cborAnswer(new Uint8Array(0)),
    cborAnswer(random.bytes(1 + random.below(500))),
    cborAnswer(encoder.encode('[]')),
    jsonAnswer({ matches: 'none', complete: true }),
    jsonAnswer(null)
  ]
  const answer = random.pick(answers)
  return (path, honest) => (path.includes(cast.victim.id) || path.startsWith('/v1/names/') ? answer : honest)
}

/** Another network: other salt, label, or keys of the genesis. */
const otherNetwork: LieMaker = random => (path, honest) => {
  if (path !== '/v1/network') return honest
  const facts = JSON.parse(honest.body as string) as { genesis: Record<string, unknown>; networkId: string }
  const changes: Record<string, unknown>[] = [
    { nameSalt: toHex(random.bytes(16)) },
    { metadataLabel: 86_071 },
    { nameTagCost: { memoryKib: 8, passes: 1 } },
    { admittedOperators: [toHex(bytesOf('liar'))] }
  ]
  Object.assign(facts.genesis, random.pick(changes))
  return jsonAnswer(facts)
}

/** All kinds of lies by name. */
export const LIES: Readonly<Record<string, LieMaker>> = {
  wrongKey,
  dropped,
  stale,
  denied,
  otherUsers,
  invented,
  intruder,
  stolenKey,
  spliced,
  stolenName,
  wrongTip,
  wrongTime,
  noise,
  nonsense,
  otherNetwork
}
