/**
 * A node lies to the tool, again and again, alone or beside an honest one. What the tool calls verified is compared with
 * what stands on the chain.
 */
import { toHex } from '../../../protocol/bytes.ts'
import { verdictOf, type Verdict, type VerificationReport } from '../../../chain/verify/report/report.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { LIES, type LieCast } from '../../support/verify/lies.ts'
import { NodeServer } from '../../support/verify/node-server.ts'
import { Person, PublishedWorld } from '../../support/verify/published-world.ts'
import { verifyInProcess } from '../../support/verify/run-in-process.ts'

export interface ForgedAnswersInit {
  /** Decides everything. */
  seed: number
  lies: number
  /** Whether an honest node of another operator is asked too. */
  secondSource: boolean
  budgetMs?: number
}

export interface ForgedAnswersReport {
  lies: number
  /** Lies whose content was called verified and confirmed. */
  accepted: number
  /** Lies after which a key was called verified that nobody of the account ever signed for, the account being known by id. */
  forgedKeys: number
  /** Lies after which a key counted that a stolen device signed for, its REVOKE being withheld: why a second source is asked. */
  stolenKeys: number
  /** Lies whose content was shown as what one source says, unconfirmed by a second. */
  shownUnconfirmed: number
  /** How the runs ended. */
  verdicts: Partial<Record<Verdict, number>>
  /** Lies by kind. */
  kinds: Record<string, number>
  /** What was accepted or forged, to be looked at. */
  failures: string[]
}

const STOLEN_DEVICE = 3

/** The chain that is lied about: one for all campaigns of a process. */
export class LieField {
  readonly world: PublishedWorld
  readonly cast: LieCast
  readonly honest: NodeServer
  readonly liar: NodeServer

  private constructor(world: PublishedWorld, cast: LieCast, honest: NodeServer, liar: NodeServer) {
    this.world = world
    this.cast = cast
    this.honest = honest
    this.liar = liar
  }

  static async start(): Promise<LieField> {
    const world = await PublishedWorld.start()
    const victim = await Person.create(world, 'ada', STOLEN_DEVICE)
    const other = await Person.create(world, 'bob', 2)
    const liar = await Person.create(world, 'mallory')
    for (const person of [victim, other]) await person.claimName()
    await victim.publish(await victim.revokeRecord(STOLEN_DEVICE))
    await world.forge(2)
    const replay = await world.replay()
    const cast: LieCast = {
      victim,
      other,
      liar,
      stolenDevice: STOLEN_DEVICE,
      proofOf: person => replay.proof(person.accountId)!
    }
    const nodes = [new NodeServer('honest', replay), new NodeServer('lying', replay)] as const
    for (const node of nodes) await node.start()
    return new LieField(world, cast, nodes[0], nodes[1])
  }

  async stop(): Promise<void> {
    await Promise.all([this.honest.stop(), this.liar.stop()])
    await this.world.stop()
  }
}

/** Tells lies of all kinds in turn, about an account by its id and by its name. */
export async function runForgedAnswers(field: LieField, init: ForgedAnswersInit): Promise<ForgedAnswersReport> {
  const random = new SeededRandom(init.seed)
  const { cast, honest, liar } = field
  const truth = {
    id: contentOf(await verifyInProcess('account', cast.victim.id, '--node', honest.url)),
    name: contentOf(await verifyInProcess('account', `@${cast.victim.name}`, '--node', honest.url))
  }
  const ownKeys = new Set<string>()
  for (let i = 1; i <= STOLEN_DEVICE; i++) ownKeys.add(toHex((await cast.victim.device(i)).keys.signingKey))
  const report: ForgedAnswersReport = {
    lies: 0,
    accepted: 0,
    forgedKeys: 0,
    stolenKeys: 0,
    shownUnconfirmed: 0,
    verdicts: {},
    kinds: {},
    failures: []
  }
  const kinds = Object.keys(LIES)
  const deadline = performance.now() + (init.budgetMs ?? Infinity)
  for (; report.lies < init.lies && performance.now() < deadline; report.lies++) {
    const kind = kinds[report.lies % kinds.length]!
    const seed = random.below(2 ** 32)
    liar.lie = await LIES[kind]!(new SeededRandom(seed), cast)
    // A name that is stolen is noticed only by somebody who asks for the name.
    const isByName = kind === 'stolenName' || random.chance(0.5)
    const nodes = init.secondSource ? random.shuffled([honest, liar]) : [liar]
    const subject = isByName ? `@${cast.victim.name}` : cast.victim.id
    const result = await verifyInProcess('account', subject, ...nodes.flatMap(({ url }) => ['--node', url]))
    judge(report, result, {
      truth: isByName ? truth.name : truth.id,
      ownKeys,
      isByName,
      label: `${kind} ${seed} ${subject}`
    })
    report.kinds[kind] = (report.kinds[kind] ?? 0) + 1
  }
  liar.lie = undefined
  return report
}

interface Expectation {
  truth: string
  ownKeys: Set<string>
  isByName: boolean
  label: string
}

function judge(report: ForgedAnswersReport, result: VerificationReport, expected: Expectation): void {
  const verdict = verdictOf(result)
  report.verdicts[verdict] = (report.verdicts[verdict] ?? 0) + 1
  if (verdict !== 'verified' || contentOf(result) === expected.truth) return
  const { devices } = result.facts['account'] as { devices: { signingKey: string; addedBy: string | null }[] }
  if (result.trust.reached >= 2) {
    report.accepted++
    report.failures.push(`accepted: ${expected.label}`)
  } else report.shownUnconfirmed++
  const isForged = devices.some(({ signingKey }) => !expected.ownKeys.has(signingKey))
  if (!isForged || expected.isByName) return
  if (expected.label.startsWith('stolenKey')) report.stolenKeys++
  else {
    report.forgedKeys++
    report.failures.push(`forged: ${expected.label}`)
  }
}

/** What is shown of an account, without what may differ between honest moments. */
function contentOf({ facts }: VerificationReport): string {
  const account = facts['account'] as Record<string, unknown> | undefined
  return JSON.stringify({ ...account, confirmations: undefined, pending: undefined, rejected: undefined })
}
