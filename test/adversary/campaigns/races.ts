/**
 * Everything that changes what is known of an account, at once, with random waits at each access of nodes and disk: whatever a node
 * told stays, REVOKEs above all, and memory and disk end up the same.
 */
import { equalBytes, toHex } from '../../../protocol/bytes.ts'
import { encodeProof, type AccountProof } from '../../../protocol/directory/proofs/proof.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import { encodeRecord } from '../../../protocol/identity/record.ts'
import { encodeStoredAccount, type KnownAccount } from '../../../peer/directory/known-account.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { timeOf } from '../../support/directory/test-chain.ts'
import { MemoryStore } from '../../support/peer/memory-store.ts'
import { ScriptedDirectory } from '../../support/peer/scripted-directory.ts'
import type { DirectoryAnswers } from '../../support/verify/lied-frames.ts'
import { PaperLedger } from '../../support/verify/paper-ledger.ts'
import { Person } from '../../support/verify/published-world.ts'

/** Devices of the account, of which all but the first are revoked one after the other. */
const DEVICES = 6
const CALLS = 14
const MAX_TURNS = 6

export interface RacesInit {
  /** Decides everything. */
  seed: number
  runs: number
  budgetMs?: number
}

export interface RacesReport {
  runs: number
  /** Answers that told of a REVOKE. */
  told: number
  failures: string[]
}

/** Runs races until there were enough. */
export async function runRaces({ seed, runs, budgetMs = Infinity }: RacesInit): Promise<RacesReport> {
  const deadline = performance.now() + budgetMs
  const ledger = new PaperLedger()
  const bob = await Person.create(ledger, 'racer', DEVICES)
  for (let i = 2; i <= DEVICES; i++) await bob.publish(await bob.revokeRecord(i))
  const self = await Person.create(ledger, 'watcher', 1)
  const branches = await branchesOf(ledger, bob)
  const report: RacesReport = { runs: 0, told: 0, failures: [] }
  for (; report.runs < runs && performance.now() < deadline; report.runs++) {
    await race({
      ledger,
      bob,
      self,
      random: new SeededRandom(seed + report.runs),
      branches,
      report,
      label: `seed ${seed + report.runs}`
    })
  }
  return report
}

async function branchesOf(ledger: PaperLedger, bob: Person): Promise<Uint8Array[]> {
  const { devices } = ledger.chain.directory.account(bob.accountId)!
  const branches: Uint8Array[] = []
  for (const [i, { added }] of devices.slice(1).entries())
    branches.push(encodeRecord(await bob.revokeRecord(i + 2, 1, added.recordId)))
  return branches
}

interface Race {
  ledger: PaperLedger
  bob: Person
  self: Person
  random: SeededRandom
  report: RacesReport
  label: string
  /** A REVOKE of each device but the first, encoded, that follows the record which brought the device. */
  branches: Uint8Array[]
}

async function race(context: Race): Promise<void> {
  const { ledger, bob, self, random, report, label } = context
  const told = new Set<string>()
  const revokedIds: string[] = []
  for (let i = 2; i <= DEVICES; i++) revokedIds.push(toHex((await bob.device(i)).deviceId))
  const fail = (what: string): void => void report.failures.push(`${what}: ${label}`)

  const operators = [0, 1].map(() => answersOf(context, told, revokedIds))
  const disk = new MemoryStore()
  let seen: string[] = []
  const onChange = (account: KnownAccount): void => {
    if (!equalBytes(account.accountId, bob.accountId)) return
    const now = account.revoked.map(({ deviceId }) => toHex(deviceId))
    if (seen.some(id => !now.includes(id))) fail('a REVOKE that was in force is not any more')
    seen = now
  }
  const init = {
    self: { accountId: self.accountId, deviceName: 'watcher1' },
    operators,
    now: timeOf(ledger.chain.height) + 60_000,
    pause: () => pause(random),
    onChange
  }
  const peer = await ScriptedDirectory.create(init, disk)
  let name = ''
  const calls: (() => Promise<unknown>)[] = [
    () => peer.directory.refresh(bob.accountId),
    () => peer.directory.agree(bob.accountId),
    () => peer.directory.account(bob.accountId, 0),
    () => peer.directory.load(bob.accountId),
    () => peer.trust.verify(bob.accountId),
    () => {
      name = `name ${random.below(1_000)}`
      return peer.directory.noteProfile(bob.accountId, { username: null, displayName: name })
    }
  ]
  await peer.directory.refresh(bob.accountId)
  const running: Promise<unknown>[] = []
  for (let i = 0; i < CALLS; i++) {
    running.push(random.pick(calls)())
    peer.timers.pass(1)
    await pause(random)
  }
  await Promise.all(running)

  const stored = await peer.onDisk(bob.accountId)
  const known = peer.directory.peek(bob.id)!
  if (!stored || !equalBytes(encodeStoredAccount(stored), encodeStoredAccount(known))) fail('memory and disk differ')
  const inForce = known.revoked.map(({ deviceId }) => toHex(deviceId))
  if ([...told].some(id => !inForce.includes(id))) fail('a REVOKE that a node told of is lost')
  if (name && known.displayName !== name) fail('a later name is lost')
  report.told += told.size
}

/** A node that is a random number of blocks behind, each time another, and may have some records before they are in a block. */
function answersOf({ ledger, bob, random, branches }: Race, told: Set<string>, revokedIds: string[]): DirectoryAnswers {
  const whole = ledger.proof(bob.accountId)!
  return {
    names: async () => [],
    proof: async (accountId: AccountId) => {
      if (!equalBytes(accountId, bob.accountId)) return encodeProof(ledger.proof(accountId)!)
      const revokes = random.below(DEVICES)
      const proof: AccountProof = { ...whole, transactions: whole.transactions.slice(0, DEVICES + revokes) }
      for (const id of revokedIds.slice(0, revokes)) told.add(id)
      if (random.chance(0.7)) return encodeProof(proof)
      // On another branch: a REVOKE that no block has, and that no other answer may tell of.
      const other = random.below(DEVICES - 1)
      told.add(revokedIds[other]!)
      return encodeProof({ ...proof, pending: [branches[other]!] })
    }
  }
}

/** Some turns of the event loop, more or fewer. */
async function pause(random: SeededRandom): Promise<void> {
  for (let turns = random.below(MAX_TURNS); turns > 0; turns--) {
    if (random.chance(0.3)) await new Promise(resolve => setImmediate(resolve))
    else await Promise.resolve()
  }
}
