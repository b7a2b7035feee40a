/** One random life of a chain, watched by a follower; what the follower told must add up to the chain at its end. */
import { Follower } from '../../../chain/follow/follower.ts'
import type { ChainChange } from '../../../chain/follow/chain-change.ts'
import type { BlockHash, TransactionPlace } from '../../../chain/source/chain-source.ts'
import { Dice, MemoryStore, SimulatedChain } from '../../support/chain/simulated-chain.ts'

export interface ForkSchedule {
  seed: number
  /** Things that happen to the chain. */
  steps: number
  /** Deepest rollback, in blocks; below the final depth, as on Cardano. */
  maxDepth: number
}

/** Adds up what a follower tells, as its receiver would. */
class Receiver {
  final: TransactionPlace[] = []
  provisional: TransactionPlace[] = []

  take({ final, provisional }: ChainChange): void {
    for (const { sequence, ...place } of final) this.final[sequence] = place
    this.provisional = provisional
  }

  all(): string[] {
    return [...this.final, ...this.provisional].map(describe)
  }
}

const describe = ({ id, blockHash, height, index }: TransactionPlace): string =>
  `${height}/${index} ${id} in ${blockHash}`

const isSame = (a: string[], b: string[]): boolean => a.length === b.length && a.every((item, i) => item === b[i])

/**
 * @returns what the follower told and what the chain is, at the end or at the first difference: equal, or there is a bug.
 */
export async function runForkSchedule({
  seed,
  steps,
  maxDepth
}: ForkSchedule): Promise<{ told: string[]; is: string[] }> {
  const dice = new Dice(seed)
  const chain = new SimulatedChain()
  const store = new MemoryStore()
  const receiver = new Receiver()
  let lost: ReturnType<SimulatedChain['rollBack']> = []
  let longest = 0
  const happen = (): void => {
    // Never below what was final at the longest the chain has been.
    const reach = chain.height - Math.max(0, longest - maxDepth)
    if (dice.roll(4) === 0 && reach > 0) lost = [...new Set([...lost, ...chain.rollBack(1 + dice.roll(reach))])]
    const blocks = dice.roll(6)
    for (let i = 0; i < blocks; i++) {
      // Some of what was lost comes back, in any order; some never does.
      const returning = lost.filter(() => dice.roll(2) === 0)
      if (dice.roll(2) === 0) returning.reverse()
      lost = lost.filter(() => dice.roll(8) !== 0)
      chain.grow(dice.roll(3), returning)
    }
    longest = Math.max(longest, chain.height)
  }
  const follow = async (): Promise<Follower> => {
    const follower = new Follower(
      { source: chain, store },
      {
        label: 1,
        magic: 42,
        pollMs: 3_600_000,
        finalConfirmations: maxDepth,
        onChange: change => receiver.take(change)
      }
    )
    await follower.start()
    return follower
  }
  let follower = await follow()
  for (let step = 0; step < steps; step++) {
    happen()
    // In the middle of a reading, too.
    let requests = dice.roll(30)
    chain.onRequest = () => {
      if (requests-- === 0) happen()
    }
    const isRead = await follower.poll().then(
      () => true,
      () => false
    )
    chain.onRequest = () => undefined
    // Not only at the end: what is told must have been true at one moment.
    const moment = chain.historyOf(follower.snapshot()?.tip.hash ?? ('' as BlockHash)).map(describe)
    if (isRead && !isSame(receiver.all(), moment)) return { told: receiver.all(), is: moment }
    if (dice.roll(10) === 0) {
      await follower.stop()
      follower = await follow()
    }
  }
  chain.grow(0)
  await follower.poll()
  await follower.stop()
  return { told: receiver.all(), is: chain.places().map(describe) }
}
