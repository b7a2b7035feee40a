/**
 * A node that sees claims before the chain does tries to take the names for itself: it copies commitments, commits on its
 * own as soon as a reveal tells the name, puts its records first in every block, holds reveals back for as long as their
 * window allows, and hoards commitments to names that it guesses, to open them when somebody wants one.
 */
import { equalBytes } from '../../../protocol/bytes.ts'
import { Directory } from '../../../protocol/directory/directory.ts'
import { buildNameCommit, buildNameRelease, buildNameReveal } from '../../../protocol/identity/build-record.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import { nameCommitment } from '../../../protocol/identity/name-commitment.ts'
import { encodeRecord, type DirectoryRecord } from '../../../protocol/identity/record.ts'
import { NAME_REVEAL_MAX_BLOCKS, NAME_REVEAL_MIN_BLOCKS } from '../../../protocol/limits.ts'
import { bytesOf, castDevice, crypto, genesis, network, signer, type CastDevice } from '../../support/directory/cast.ts'
import { createRecord, idOf, timeOf } from '../../support/directory/test-chain.ts'
import { SeededRandom } from '../../support/seeded-random.ts'

/** How the races ended. */
export interface NameRaceReport {
  races: number
  /** Races after which the claimant holds the name. */
  won: number
  /** Races after which the node holds it. */
  stolen: number
  /** Races in which the node opened its claim first and held the name for a while. */
  heldMeanwhile: number
  /** Hoarded commitments that lapsed before the name was wanted. */
  lapsed: number
}

/** Races that one account takes part in, well below its record limit. */
const RACES_PER_ACCOUNT = 100

export interface NameRaceInit {
  /** Decides everything. */
  seed: number
  races: number
  budgetMs?: number
}

/** Runs races until their number or the budget is reached. */
export async function runNameRaces({ seed, races, budgetMs = Infinity }: NameRaceInit): Promise<NameRaceReport> {
  const deadline = performance.now() + budgetMs
  const random = new SeededRandom(seed)
  const report: NameRaceReport = { races: 0, won: 0, stolen: 0, heldMeanwhile: 0, lapsed: 0 }
  let field: RaceField | undefined
  for (let race = 0; race < races && performance.now() < deadline; race++) {
    if (race % RACES_PER_ACCOUNT === 0) field = await RaceField.create(race / RACES_PER_ACCOUNT)
    await field!.race(race, random, report)
    report.races++
  }
  return report
}

interface Runner {
  device: CastDevice
  accountId: AccountId
}

/** One claimant, one thieving node, and their chain. */
class RaceField {
  readonly #directory = Directory.create(crypto, network, genesis)
  readonly #claimant: Runner
  readonly #thief: Runner
  #height = 0
  #txIndex = 0

  private constructor(claimant: Runner, thief: Runner) {
    this.#claimant = claimant
    this.#thief = thief
  }

  static async create(index: number): Promise<RaceField> {
    const runners = await Promise.all(
      ['claimant', 'thief'].map(async role => {
        const record = await createRecord(`${role} ${index} `)
        const runner = {
          device: await castDevice(`${role} ${index} 1`),
          accountId: idOf(record) as Uint8Array as AccountId
        }
        return { record, runner }
      })
    )
    const field = new RaceField(runners[0]!.runner, runners[1]!.runner)
    for (const { record } of runners) await field.#put(record)
    return field
  }

  async race(index: number, random: SeededRandom, report: NameRaceReport): Promise<void> {
    const tag = bytesOf(`raced name ${index}`)
    const hoards = random.chance(0.3)
    if (hoards) {
      await this.#put(await this.#commit(this.#thief, tag))
      // A hoarder must renew within the window; this one was a block too slow.
      this.#mine(NAME_REVEAL_MAX_BLOCKS + random.below(3) - 1)
    }
    const [first, second] = [await this.#commit(this.#claimant, tag), await this.#copied(tag)]
    // The node sees the commitment, copies it, and puts the copy in front.
    await this.#put(second)
    await this.#put(first)
    const committed = this.#height
    this.#mine(NAME_REVEAL_MIN_BLOCKS + random.below(5))
    // The reveal leaves the claimant: from here on the node knows the name.
    if (hoards && !(await this.#put(await this.#reveal(this.#thief, tag)))) report.lapsed++
    await this.#put(await this.#commit(this.#thief, tag))
    this.#mine(NAME_REVEAL_MIN_BLOCKS)
    await this.#put(await this.#reveal(this.#thief, tag))
    if (this.#holds(this.#thief, tag)) report.heldMeanwhile++
    // Other nodes carry the reveal before its window ends.
    this.#mine(random.below(committed + NAME_REVEAL_MAX_BLOCKS - this.#height + 1))
    await this.#put(await this.#reveal(this.#claimant, tag))
    this.#mine(NAME_REVEAL_MAX_BLOCKS)
    await this.#put(await this.#reveal(this.#thief, tag))
    if (this.#holds(this.#claimant, tag)) report.won++
    if (this.#holds(this.#thief, tag)) report.stolen++
    await this.#release(tag)
  }

  #holds({ accountId }: Runner, tag: Uint8Array): boolean {
    return this.#directory.holdsName(accountId, tag)
  }

  #mine(blocks: number): void {
    this.#height += blocks
    this.#txIndex = 0
  }

  async #put(record: DirectoryRecord): Promise<boolean> {
    const order = { blockHeight: this.#height, txIndex: this.#txIndex++, recordIndex: 0 }
    const verdict = await this.#directory.apply({ bytes: encodeRecord(record), order, blockTime: timeOf(this.#height) })
    return verdict.kind === 'accepted'
  }

  #by(runner: Runner): ReturnType<typeof signer> {
    return signer(runner.device, this.#directory.account(runner.accountId)!.head)
  }

  #salt({ device }: Runner, tag: Uint8Array): Uint8Array {
    return crypto.sha256(Uint8Array.from([...tag, ...device.deviceId]))
  }

  #commit(runner: Runner, tag: Uint8Array): Promise<DirectoryRecord> {
    const commitment = nameCommitment(crypto, network, tag, runner.accountId, this.#salt(runner, tag))
    return buildNameCommit(network, this.#by(runner), commitment)
  }

  /** The claimant's commitment under the thief's account. */
  #copied(tag: Uint8Array): Promise<DirectoryRecord> {
    const { accountId } = this.#claimant
    const commitment = nameCommitment(crypto, network, tag, accountId, this.#salt(this.#claimant, tag))
    return buildNameCommit(network, this.#by(this.#thief), commitment)
  }

  #reveal(runner: Runner, tag: Uint8Array): Promise<DirectoryRecord> {
    return buildNameReveal(network, this.#by(runner), tag, this.#salt(runner, tag))
  }

  /** Makes room for the next race: an account may hold few names. */
  async #release(tag: Uint8Array): Promise<void> {
    for (const runner of [this.#claimant, this.#thief]) {
      const isClaimed = this.#directory.account(runner.accountId)!.names.some(name => equalBytes(name.nameTag, tag))
      if (isClaimed) await this.#put(await buildNameRelease(network, this.#by(runner), tag))
    }
  }
}
