/**
 * A node lies to peers, again and again: it is the node that they are connected to, alone or in a network where another
 * operator has a node. What a peer shows, and the keys that it would seal to, are compared with what stands on the chain.
 */
import { toHex } from '../../../protocol/bytes.ts'
import { knowAccount, storedAccount } from '../../../peer/directory/known-account.ts'
import { recordDetails } from '../../../peer/directory/record-details.ts'
import type { NetworkInfo } from '../../../peer/network/network-info.ts'
import { PeerError } from '../../../peer/errors.ts'
import type { Person } from '../../../peer/peer-api.ts'
import { encodeProof, type AccountProof } from '../../../protocol/directory/proofs/proof.ts'
import { crypto, genesis, network } from '../../support/directory/cast.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { LIES, type LiePerson } from '../../support/verify/lies.ts'

/** Index of the device that was stolen from each victim, and revoked by the last record. */
export const STOLEN_DEVICE = 3
/** What a peer never asks for once it has joined a network. */
const NOT_FOR_PEERS = new Set(['otherNetwork'])
/** All kinds of lies that are told to peers. */
export const PEER_LIES: readonly string[] = Object.keys(LIES).filter(kind => !NOT_FOR_PEERS.has(kind))
/** Lies told one after the other to a peer that knows the victim. */
const LIES_TO_THE_KNOWING = 3

/** A lie that can be told again: everything follows from it. */
export interface ToldLie {
  kind: string
  /** Position of the victim in {@link LieStage.victims}. */
  victim: number
  seed: number
}

/** Somebody at the lying node, who knows nobody yet. */
export interface Visitor {
  /** As `PeerApi`. */
  find(query: string): Promise<Person | null>
  /** As `PeerApi`. */
  refresh(accountId: string): Promise<Person>
  /** Signing keys, hex, of the devices that a message to this account would be sealed to now; none while it is held. */
  sealsTo(accountId: string): Promise<string[]>
  leave(): Promise<void>
}

/** A network with a lying node. */
export interface LieStage {
  /** Whether a second operator has a node, which is honest. */
  secondOperator: boolean
  /** People with two live devices, one that was stolen and revoked, and a name. */
  victims: readonly LiePerson[]
  /** What stands on the chain. */
  proofOf(victim: LiePerson): AccountProof
  /** What the lying node says from now on; undefined for the truth. */
  tell(lie: ToldLie | undefined): Promise<void>
  /** A newcomer, registered and connected to the lying node. */
  visitor(): Promise<Visitor>
}

export interface PeerLiesInit {
  /** Decides everything. */
  seed: number
  lies: number
  budgetMs?: number
}

export interface PeerLiesReport {
  lies: number
  /**
   * Something untrue became what the peer acts upon or vouches for: it would seal to a key that is not of a live device, or
   * call untrue content agreed on by two operators (L2, a confirmed name). With a second operator also: it was made to
   * believe that somebody does not exist, or shows untrue keys at all without holding.
   */
  accepted: number
  /** Lies after which a message would be sealed to a key that nobody of the account ever signed for. */
  forgedKeys: number
  /** With one operator only: newcomers that would seal to a device that the stolen one signed for, its REVOKE withheld. */
  stolenKeys: number
  /** Untrue, and shown as what one source says. */
  shownUnconfirmed: number
  /** Two sources contradict each other, or nobody is left to write to: sending is held. */
  held: number
  /** Nothing was taken from the lying node, and the user is told. */
  refused: number
  /** The lying node said that there is no such person, and nobody else could be asked. */
  hidden: number
  /** The truth was shown nevertheless. */
  undeceived: number
  /** Victims about whom the truth was not found once the node had stopped lying. */
  notRecovered: number
  /** Lies by kind. */
  kinds: Record<string, number>
  failures: string[]
}

/** Tells lies of all kinds in turn: to peers that never heard of the victim, and to those that knew the truth. */
export async function runPeerLies(stage: LieStage, init: PeerLiesInit): Promise<PeerLiesReport> {
  const report = emptyReport()
  const random = new SeededRandom(init.seed)
  const deadline = performance.now() + (init.budgetMs ?? Infinity)
  const isOver = (): boolean => report.lies >= init.lies || performance.now() >= deadline
  const truth = await truthOf(stage)
  const deck: string[] = []
  while (!isOver()) {
    const visitor = await stage.visitor()
    try {
      for (let victim = 0; victim < stage.victims.length && !isOver(); victim++) {
        await visit({ stage, visitor, victim, random, report, truth: truth[victim]!, isOver, deck })
      }
    } finally {
      await stage.tell(undefined)
      await visitor.leave()
    }
  }
  return report
}

const emptyReport = (): PeerLiesReport => ({
  lies: 0,
  accepted: 0,
  forgedKeys: 0,
  stolenKeys: 0,
  shownUnconfirmed: 0,
  held: 0,
  refused: 0,
  hidden: 0,
  undeceived: 0,
  notRecovered: 0,
  kinds: {},
  failures: []
})

/** What an undeceived peer has of somebody. */
interface Truth {
  record: string
  liveKeys: ReadonlySet<string>
  /** Every key that the account ever signed for. */
  everKeys: ReadonlySet<string>
}

interface Visit {
  stage: LieStage
  visitor: Visitor
  victim: number
  random: SeededRandom
  report: PeerLiesReport
  truth: Truth
  isOver: () => boolean
  /** Kinds still to be told before all of them come again, in another order. */
  deck: string[]
}

/** One visitor and one victim: the first meets a lie, then the truth; the second the truth, then lies. */
async function visit(context: Visit): Promise<void> {
  const { stage, visitor, victim, report, truth } = context
  const { id, name } = stage.victims[victim]!
  const isKnown = victim % 2 === 1
  if (!isKnown) await lieOnce(context, isKnown)
  await stage.tell(undefined)
  // With one operator, a peer that was lied to first has no second source to find out who is right.
  if (isKnown || stage.secondOperator) {
    await visitor.find(`@${name}`)
    const person = await visitor.refresh(id)
    const keys = await visitor.sealsTo(id)
    const isTrue = contentOf(person) === truth.record && isSame(keys, truth.liveKeys)
    const isAgreed = person.record.trust === (stage.secondOperator ? 'L2' : 'L1')
    if (!isTrue || !isAgreed) {
      report.notRecovered++
      report.failures.push(`not recovered: victim ${victim} after ${JSON.stringify(report.kinds)} ${contentOf(person)}`)
    }
  }
  for (let i = 0; isKnown && i < LIES_TO_THE_KNOWING && !context.isOver(); i++) await lieOnce(context, isKnown)
}

async function lieOnce(context: Visit, isKnown: boolean): Promise<void> {
  const { stage, visitor, victim, random, report } = context
  const { id, name } = stage.victims[victim]!
  if (context.deck.length === 0) context.deck.push(...random.shuffled(PEER_LIES))
  const kind = context.deck.pop()!
  const lie: ToldLie = { kind, victim, seed: random.below(2 ** 32) }
  await stage.tell(lie)
  // Whose name is stolen notices only who asks for the name; whom we know, we ask about anew.
  const isByName = kind === 'stolenName' || random.chance(0.5)
  const sight = await look(visitor, id, isByName ? `@${name}` : id, isKnown && kind !== 'stolenName')
  report.lies++
  report.kinds[kind] = (report.kinds[kind] ?? 0) + 1
  judge(
    context,
    sight,
    isKnown,
    `${kind} ${lie.seed} victim ${victim} ${isKnown ? 'known' : 'new'} by ${isByName ? 'name' : 'id'}`
  )
}

/** What the user of the peer sees, and what the peer would do. */
interface Sight {
  person: Person | null
  isRefused: boolean
  /** Of the victim's account. */
  sealsTo: string[]
}

async function look(visitor: Visitor, id: string, query: string, isRefresh: boolean): Promise<Sight> {
  let person: Person | null = null
  let isRefused = false
  try {
    person = isRefresh ? await visitor.refresh(id) : await visitor.find(query)
  } catch (error) {
    if (!(error instanceof PeerError)) throw error
    isRefused = error.code === 'bad-answer' || error.code === 'name-disputed' || error.code === 'refused'
  }
  return { person, isRefused, sealsTo: await visitor.sealsTo(id) }
}

function judge({ stage, victim, report, truth }: Visit, sight: Sight, isKnown: boolean, label: string): void {
  const { person, sealsTo } = sight
  const accept = (what: string): void => {
    report.accepted++
    report.failures.push(`${what}: ${label} ${person ? contentOf(person) : ''}`)
  }
  const isForged = sealsTo.some(key => !truth.everKeys.has(key))
  const isStale = sealsTo.some(key => !truth.liveKeys.has(key))
  const isLoneStolenKey = isForged && label.startsWith('stolenKey') && !isKnown && !stage.secondOperator
  if (isLoneStolenKey) report.stolenKeys++
  else if (isForged) {
    report.forgedKeys++
    return accept('forged key')
  }
  if (isStale && (stage.secondOperator || isKnown)) return accept('would seal to a key that is not of a live device')
  if (sight.isRefused) return void report.refused++
  if (!person) return stage.secondOperator || isKnown ? accept('hidden') : void report.hidden++
  const isOther = person.accountId !== stage.victims[victim]!.id
  if (isOther) {
    if (person.nameConfirmed) return accept('foreign name confirmed')
    return void report.shownUnconfirmed++
  }
  const isTrue = contentOf(person) === truth.record
  if (person.record.state === 'mismatch' || sealsTo.length === 0) return void report.held++
  if (isTrue && !isStale) return void report.undeceived++
  if (person.record.trust === 'L2') return accept('untrue record at L2')
  report.shownUnconfirmed++
}

/** What two operators can agree on; how deep it lies by now is the word of the node in use. */
function contentOf({ accountId, record }: { accountId: string; record: ReturnType<typeof recordDetails> }): string {
  const { transactionId, blockHeight, recordedAt } = record
  const isRecorded = record.confirmations > 0
  return JSON.stringify([accountId, isRecorded, transactionId, blockHeight, recordedAt])
}

const isSame = (keys: string[], expected: ReadonlySet<string>): boolean =>
  keys.length === expected.size && keys.every(key => expected.has(key))

async function truthOf({ victims, proofOf }: LieStage): Promise<Truth[]> {
  const epoch = { number: 0, seed: new Uint8Array(32), nodes: [], nodeSeeds: [] }
  const info: NetworkInfo = { id: network, genesis, epoch, label: 'test', emulated: true, entry: '' }
  return Promise.all(
    victims.map(async victim => {
      const proof = proofOf(victim)
      const known = await knowAccount(crypto, info, storedAccount(proof, encodeProof(proof), 0))
      const standing = { state: 'single' as const, at: null, trust: 'L1' as const }
      const context = { info, standing, now: Date.now(), undoneAt: null }
      const keys: string[] = []
      for (let i = 1; i <= STOLEN_DEVICE; i++) keys.push(toHex((await victim.device(i)).keys.signingKey))
      const record = contentOf({ accountId: victim.id, record: recordDetails(known, context) })
      return { record, liveKeys: new Set(keys.slice(0, STOLEN_DEVICE - 1)), everKeys: new Set(keys) }
    })
  )
}
