/**
 * One random life of a chain, told by a source whose lists are spoilt now and then: what a follower calls final must have
 * been the chain at every moment, and once the source is honest again the follower has all of it.
 */
import { Follower } from '../../../chain/follow/follower.ts'
import type { ChainChange } from '../../../chain/follow/chain-change.ts'
import { FLAWS, flawedSource } from '../../support/chain/flawed-source.ts'
import { Dice, MemoryStore, SimulatedChain } from '../../support/chain/simulated-chain.ts'

export interface FlawSchedule {
  seed: number
  /** Polls, with something that happens to the chain before each. */
  steps: number
}

/** What a schedule came to. */
export interface FlawOutcome {
  told: string[]
  is: string[]
  /** Answers that were spoilt. */
  spoilt: number
  /** Polls that were refused because of one. */
  named: number
}

/** Rollbacks stay above it, as on Cardano. */
const FINAL_CONFIRMATIONS = 10
/** After a spoilt page, so many honest ones: a server that always tells the same lie is a matter of a second source. */
const HONEST_PAGES = 3
const MAX_NEW_TRANSACTIONS = 20
const NAMES = Object.keys(FLAWS)

/** @returns what the follower told and what the chain is, at the end or at the first difference: equal, or there is a bug. */
export async function runFlawSchedule({ seed, steps }: FlawSchedule): Promise<FlawOutcome> {
  const dice = new Dice(seed)
  const chain = new SimulatedChain()
  let honest = 0
  let isOver = false
  const outcome: FlawOutcome = { told: [], is: [], spoilt: 0, named: 0 }
  const source = flawedSource(chain, () => {
    if (isOver || honest-- > 0 || dice.roll(2) === 0) return undefined
    honest = HONEST_PAGES
    outcome.spoilt++
    return FLAWS[NAMES[dice.roll(NAMES.length)]!]!(dice.roll(1_000))
  })
  const final: string[] = []
  const take = (change: ChainChange): void => {
    for (const { id, sequence } of change.final) final[sequence] = id
  }
  const init = { label: 1, magic: 42, pollMs: 3_600_000, finalConfirmations: FINAL_CONFIRMATIONS, onChange: take }
  const store = new MemoryStore()
  let follower = new Follower({ source, store }, init)
  let longest = 0
  const poll = async (): Promise<void> => {
    // Started here: a follower polls once by itself, and that poll is over before the next one.
    await follower.start()
    await follower.poll().catch(() => outcome.named++)
  }
  for (let step = 0; step < steps; step++) {
    const reach = chain.height - Math.max(0, longest - FINAL_CONFIRMATIONS + 1)
    if (dice.roll(4) === 0 && reach > 0) chain.rollBack(1 + dice.roll(reach))
    for (let i = dice.roll(4); i >= 0; i--) chain.grow(dice.roll(MAX_NEW_TRANSACTIONS))
    longest = Math.max(longest, chain.height)
    await poll()
    const is = chain.transactions().slice(0, final.length)
    if (final.join() !== is.join()) return { ...outcome, told: final, is }
    if (dice.roll(6) === 0) {
      await follower.stop()
      follower = new Follower({ source, store }, init)
    }
  }
  isOver = true
  chain.grow(0)
  await follower.start()
  await follower.poll()
  const provisional = follower.snapshot()!.provisional.map(({ id }) => id)
  await follower.stop()
  return { ...outcome, told: [...final, ...provisional], is: chain.transactions() }
}
