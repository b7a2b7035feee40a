/**
 * One of two operators lies about people who are known: on whose records both agreed before one of their devices was stolen and
 * revoked. What a peer would seal to, and what it shows, is compared with the chain five minutes later, and with one operator.
 */
import { toHex } from '../../../protocol/bytes.ts'
import { recordsOfTransaction } from '../../../protocol/directory/metadata.ts'
import { encodeProof, type AccountProof } from '../../../protocol/directory/proofs/proof.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import { AGREEMENT_MAX_AGE_MS, AGREEMENT_RENEW_MS } from '../../../peer/directory/agreement.ts'
import { PeerError } from '../../../peer/errors.ts'
import { NodeRefusal } from '../../../peer/network/node-connection.ts'
import { BLOCK_MS, genesis } from '../../support/directory/cast.ts'
import { timeOf } from '../../support/directory/test-chain.ts'
import { ScriptedDirectory } from '../../support/peer/scripted-directory.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { answersWith, type DirectoryAnswers } from '../../support/verify/lied-frames.ts'
import { LIES } from '../../support/verify/lies.ts'
import { PaperLedger } from '../../support/verify/paper-ledger.ts'
import { publishCast, type PublishedCast } from '../../support/verify/published-cast.ts'
import { Person } from '../../support/verify/published-world.ts'
import { PEER_LIES, STOLEN_DEVICE } from './peer-lies.ts'

/** People known to one peer at a time. */
const VICTIMS = 10
/** A peer looks after its conversations this often. */
const ROUND_MS = 30_000

export interface EstablishedLiesInit {
  /** Decides everything. */
  seed: number
  lies: number
  /** Of the network; one of them lies. */
  operators: 1 | 2
  budgetMs?: number
}

export interface EstablishedLiesReport {
  lies: number
  /** After five minutes: a key that is not of a live device would be sealed to, or untrue records are called agreed on. */
  accepted: number
  /** A key that the account never signed for would be sealed to, at any time. */
  forgedKeys: number
  /** Untrue after five minutes, and shown as the word of one operator: what a lone operator gets away with. */
  shown: number
  /** Nothing was sent: operators contradict each other, or no device is left. */
  held: number
  /** The truth was acted upon. */
  undeceived: number
  kinds: Record<string, number>
  failures: string[]
}

type Change = (proof: AccountProof, now: number, random: SeededRandom) => AccountProof | undefined

/** What is told in place of the truth, made from the records as they were before the REVOKE. */
const OLD_RECORDS: Readonly<Record<string, Change>> = {
  frozen: proof => proof,
  frozenHigh: (proof, now) => withTip(proof, proof.tip.height + 5_000, now),
  frozenFuture: (proof, now) => withTip(proof, proof.tip.height, now + 365 * 86_400_000),
  frozenPast: proof => withTip(proof, proof.tip.height, 1_000),
  unknown: () => undefined,
  fewer: (proof, _now, random) => ({ ...proof, transactions: proof.transactions.slice(0, 1 + random.below(2)) })
}
const KINDS = [...Object.keys(OLD_RECORDS), ...PEER_LIES.filter(kind => kind !== 'stolenName')]

function withTip(proof: AccountProof, height: number, time: number): AccountProof {
  return { ...proof, tip: { ...proof.tip, height, time } }
}

/** Tells lies until there were enough. */
export async function runEstablishedLies(init: EstablishedLiesInit): Promise<EstablishedLiesReport> {
  const stage = await Stage.create(init)
  const deadline = performance.now() + (init.budgetMs ?? Infinity)
  const { report } = stage
  while (report.lies < init.lies && performance.now() < deadline) {
    await stage.meet()
    for (let victim = 0; victim < VICTIMS && report.lies < init.lies && performance.now() < deadline; victim++)
      await stage.lieAbout(victim)
  }
  return report
}

class Stage {
  readonly report: EstablishedLiesReport = {
    lies: 0,
    accepted: 0,
    forgedKeys: 0,
    shown: 0,
    held: 0,
    undeceived: 0,
    kinds: {},
    failures: []
  }
  readonly #init: EstablishedLiesInit
  readonly #ledger: PaperLedger
  readonly #cast: PublishedCast
  readonly #self: Person
  readonly #random: SeededRandom
  readonly #operators: DirectoryAnswers[]
  #deck: string[] = []
  #peer!: ScriptedDirectory
  /** Accounts whose REVOKE is on the chain. */
  readonly #revoked = new Set<string>()
  /** What each operator says in place of the truth. */
  readonly #lies: (DirectoryAnswers | undefined)[] = []

  private constructor(init: EstablishedLiesInit, ledger: PaperLedger, cast: PublishedCast, self: Person) {
    this.#init = init
    this.#ledger = ledger
    this.#cast = cast
    this.#self = self
    this.#random = new SeededRandom(init.seed)
    this.#operators = Array.from({ length: init.operators }, (_, i) => ({
      proof: accountId => (this.#lies[i] ?? this.#honest).proof(accountId),
      names: tagPrefix => (this.#lies[i] ?? this.#honest).names(tagPrefix)
    }))
  }

  static async create(init: EstablishedLiesInit): Promise<Stage> {
    const ledger = new PaperLedger()
    const cast = await publishCast(ledger, VICTIMS)
    return new Stage(init, ledger, cast, await Person.create(ledger, 'established', 1))
  }

  readonly #honest: DirectoryAnswers = {
    proof: async accountId => {
      const proof = this.#truth(accountId)
      return proof && encodeProof(proof)
    },
    names: async tagPrefix => this.#ledger.names(tagPrefix)
  }

  /** The chain at this moment: blocks come while time passes. */
  #truth(accountId: AccountId): AccountProof | undefined {
    const proof = this.#ledger.proof(accountId)
    if (!proof) return undefined
    const isVictim = this.#cast.victims.some(({ id }) => id === toHex(accountId))
    const isBefore = isVictim && !this.#revoked.has(toHex(accountId))
    return this.#live(isBefore ? this.#before(proof) : proof)
  }

  /** Without the REVOKE, which is the last record. */
  #before(proof: AccountProof): AccountProof {
    return { ...proof, transactions: proof.transactions.slice(0, -1) }
  }

  #live(proof: AccountProof): AccountProof {
    const now = this.#peer.timers.now()
    const blocks = Math.max(1, Math.floor((now - proof.tip.time) / BLOCK_MS))
    return { ...proof, tip: { height: proof.tip.height + blocks, hash: proof.tip.hash, time: now } }
  }

  /** A peer that knows every victim, on whose records its operators agree. */
  async meet(): Promise<void> {
    this.#revoked.clear()
    this.#lies.length = 0
    const now = timeOf(this.#ledger.chain.height) + 3_600_000
    const self = { accountId: this.#self.accountId, deviceName: 'established1' }
    this.#peer = await ScriptedDirectory.create({ self, operators: this.#operators, now })
    const { directory } = this.#peer
    for (const { accountId } of [this.#self, ...this.#cast.victims]) {
      const known = await directory.agree(accountId)
      const { state } = directory.standingOf(known!)
      if (state !== (this.#init.operators === 1 ? 'single' : 'agreed')) throw new Error(`they do not know: ${state}`)
    }
  }

  async lieAbout(index: number): Promise<void> {
    const random = this.#random
    if (this.#deck.length === 0) this.#deck = random.shuffled(KINDS)
    const kind = this.#deck.pop()!
    const victim = this.#cast.victims[index]!
    const label = `${kind} about victim ${index}, lie ${this.report.lies} of seed ${this.#init.seed}`
    const liar = this.#init.operators === 2 && random.chance(0.3) ? 1 : 0
    this.report.lies++
    this.report.kinds[kind] = (this.report.kinds[kind] ?? 0) + 1
    // Known again just now: the lie begins with a fresh agreement.
    await this.#quietly(() => this.#peer.directory.agree(victim.accountId))
    this.#revoked.add(victim.id)
    this.#lies[liar] = await this.#lie(kind, victim)
    try {
      await this.#passFiveMinutes(victim, label)
      await this.#judge(victim, label)
    } finally {
      this.#lies.length = 0
    }
  }

  async #lie(kind: string, victim: Person): Promise<DirectoryAnswers> {
    const random = this.#random
    const change = OLD_RECORDS[kind]
    if (!change) {
      const proofOf = ({ accountId }: { accountId: AccountId }): AccountProof => this.#truth(accountId)!
      return answersWith(
        await LIES[kind]!(random, { ...this.#cast, victim, stolenDevice: STOLEN_DEVICE, proofOf }),
        this.#honest
      )
    }
    return {
      names: tagPrefix => this.#honest.names(tagPrefix),
      proof: async accountId => {
        if (toHex(accountId) !== victim.id) return this.#honest.proof(accountId)
        const old = this.#live(this.#before(this.#ledger.proof(accountId)!))
        const told = change(old, this.#peer.timers.now(), random)
        return told && encodeProof(told)
      }
    }
  }

  /** What a peer does by itself and its user now and then; whatever is sealed meanwhile must not be to a forged key. */
  async #passFiveMinutes(victim: Person, label: string): Promise<void> {
    const { directory, timers } = this.#peer
    const isActive = this.#random.chance(0.5)
    for (let passed = 0; passed < AGREEMENT_MAX_AGE_MS; passed += ROUND_MS) {
      timers.pass(ROUND_MS)
      await this.#quietly(() => directory.account(this.#self.accountId, 0))
      if (isActive) await this.#quietly(() => directory.agree(victim.accountId, AGREEMENT_RENEW_MS))
      if (this.#random.chance(0.2)) await this.#noForgedKey(await this.#sealsTo(victim), victim, label)
    }
  }

  async #judge(victim: Person, label: string): Promise<void> {
    const { report } = this
    const { directory } = this.#peer
    // What a screen shows before anything is asked.
    this.#requireTrueIfAgreed(victim, `${label}, shown`)
    const sealed = await this.#sealsTo(victim)
    this.#requireTrueIfAgreed(victim, `${label}, after sealing`)
    await this.#noForgedKey(sealed, victim, label)
    if (typeof sealed === 'string') return void report.held++
    const stolen = toHex((await victim.device(STOLEN_DEVICE)).deviceId)
    if (!sealed.includes(stolen)) return void report.undeceived++
    const { state, trust } = directory.standingOf(directory.peek(victim.id)!)
    if (state === 'single' && trust === 'L1') return void report.shown++
    this.#accept(`a revoked device would be sealed to: ${label}, ${state}`)
  }

  #requireTrueIfAgreed(victim: Person, label: string): void {
    const { directory } = this.#peer
    const known = directory.peek(victim.id)!
    const isTrue = known.checked.places.length === this.#recordsOf(victim) || known.contradicted
    if (directory.standingOf(known).trust === 'L2' && !isTrue) this.#accept(`untrue records at L2: ${label}`)
  }

  #recordsOf(victim: Person): number {
    return this.#ledger.proof(victim.accountId)!.transactions.flatMap(({ transaction }) => {
      const { metadata } = recordsOfTransaction(transaction, genesis.metadataLabel)
      return metadata.kind === 'records' ? metadata.records : []
    }).length
  }

  async #noForgedKey(sealed: string[] | string, victim: Person, label: string): Promise<void> {
    if (typeof sealed === 'string') return
    const ever = new Set<string>()
    for (let i = 1; i <= STOLEN_DEVICE; i++) ever.add(toHex((await victim.device(i)).deviceId))
    if (sealed.every(id => ever.has(id))) return
    // A device that the thief added before anybody knew better: only where nobody else can be asked.
    if (this.#init.operators === 1 && label.startsWith('stolenKey')) return
    this.report.forgedKeys++
    this.#accept(`forged key: ${label}`)
  }

  /** Held, and why, where the node's answer does not hold. */
  async #sealsTo(victim: Person): Promise<string[] | string> {
    try {
      return await this.#peer.sealsTo(victim.accountId)
    } catch (error) {
      if (error instanceof PeerError) return error.code
      if (error instanceof NodeRefusal) return error.code
      throw error
    }
  }

  async #quietly(ask: () => Promise<unknown>): Promise<void> {
    try {
      await ask()
    } catch (error) {
      if (!(error instanceof PeerError || error instanceof NodeRefusal)) throw error
    }
  }

  #accept(what: string): void {
    this.report.accepted++
    this.report.failures.push(what)
  }
}
