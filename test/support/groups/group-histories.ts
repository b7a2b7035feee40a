/**
 * Random histories of a group: devices that are cut off from each other change it, also on top of what they no longer believe,
 * as a thief would, and hand over what they have in any order. All of them must come to what the model comes to.
 */
import { equalBytes, toHex } from '../../../protocol/bytes.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import type { Change, GroupChange, GroupChangeId, GroupTarget } from '../../../protocol/groups/group-change.ts'
import { GroupLog } from '../../../protocol/groups/group-log.ts'
import type { GroupMember, GroupState } from '../../../protocol/groups/group-state.ts'
import type { AccountId, DeviceId } from '../../../protocol/identity/device.ts'
import type { ConversationId } from '../../../protocol/roster/roster.ts'
import { SeededRandom } from '../seeded-random.ts'
import { GroupModel, type ModelState } from './group-model.ts'

const ACCOUNTS = 5
const REPLICAS = 4
const MAX_STEPS = 18

export interface HistoriesReport {
  runs: number
  changes: number
  /** Changes that came to nothing in the end. */
  voided: number
  /** Most last changes at once. */
  widest: number
  failures: number
  examples: string[]
}

/** Tries histories until there were enough. */
export function runGroupHistories(init: { seed: number; runs: number; budgetMs?: number }): HistoriesReport {
  const { seed, runs, budgetMs = Infinity } = init
  const deadline = performance.now() + budgetMs
  const report: HistoriesReport = { runs: 0, changes: 0, voided: 0, widest: 0, failures: 0, examples: [] }
  for (; report.runs < runs && performance.now() < deadline; report.runs++) {
    const fault = new History(seed + report.runs, report).run()
    if (fault === undefined) continue
    report.failures++
    if (report.examples.length < 20) report.examples.push(`seed ${seed + report.runs}: ${fault}`)
  }
  return report
}

class History {
  readonly #random: SeededRandom
  readonly #report: HistoriesReport
  readonly #accounts: AccountId[]
  readonly #model = new GroupModel()
  readonly #groupId: ConversationId
  readonly #replicas: GroupLog[]
  readonly #all: GroupChange[] = []

  constructor(seed: number, report: HistoriesReport) {
    this.#random = new SeededRandom(seed)
    this.#report = report
    this.#accounts = Array.from({ length: ACCOUNTS }, () => this.#random.bytes(32) as AccountId)
    this.#groupId = this.#random.bytes(32) as ConversationId
    const first = this.#signed(this.#accounts[0]!, [], {
      kind: 'create',
      nonce: new Uint8Array(16),
      name: 'first',
      description: '',
      picture: null,
      username: null,
      settings: { add: this.#random.pick(['admins', 'members'] as const), edit: 'members' },
      targets: this.#targets(this.#accounts.slice(1, 1 + this.#random.below(ACCOUNTS)))
    })
    this.#note({ ...first, id: this.#groupId as Uint8Array as GroupChangeId })
    this.#replicas = Array.from({ length: REPLICAS }, () => GroupLog.of(this.#all[0]!))
  }

  /** @returns what went wrong. */
  run(): string | undefined {
    const steps = 1 + this.#random.below(MAX_STEPS)
    for (let i = 0; i < steps; i++) {
      if (this.#random.chance(0.25)) this.#handOver()
      else this.#change()
    }
    return this.#judge()
  }

  #note(change: GroupChange): void {
    this.#all.push(change)
    this.#model.add(change)
  }

  #signed(accountId: AccountId, parents: readonly GroupChangeId[], change: Change): GroupChange {
    return {
      id: this.#random.bytes(32) as GroupChangeId,
      groupId: this.#groupId,
      parents: [...parents],
      accountId,
      deviceId: accountId.slice(0, 16) as Uint8Array as DeviceId,
      keys: { signingKey: accountId, messagingKeyHash: accountId },
      at: this.#all.length,
      change,
      signature: new Uint8Array(64),
      encoded: new Uint8Array()
    }
  }

  #targets(accounts: AccountId[]): GroupTarget[] {
    return accounts.map(accountId => ({
      accountId,
      role: this.#random.chance(0.4) ? 'admin' : 'member',
      username: null
    }))
  }

  /** One replica gives another what it has, in an order of its own. */
  #handOver(): void {
    const [from, to] = [this.#random.below(REPLICAS), this.#random.below(REPLICAS)]
    this.#replicas[to] = this.#joined(this.#replicas[to]!, this.#replicas[from]!.changes())
  }

  #joined(log: GroupLog, changes: readonly GroupChange[]): GroupLog {
    let joined = log
    const waiting = new Set(this.#random.shuffled(changes))
    while (waiting.size > 0) {
      for (const change of waiting) {
        if (!change.parents.every(parent => joined.has(parent))) continue
        joined = joined.with(change)
        waiting.delete(change)
      }
    }
    return joined
  }

  #change(): void {
    const place = this.#random.below(REPLICAS)
    const log = this.#replicas[place]!
    // A thief signs after something old; everybody else after all that they have.
    const heads = this.#random.chance(0.15) ? [this.#random.pick(log.changes()).id] : log.heads
    const members = [...log.stateAt(heads).members.values()]
    const admins = members.filter(({ role }) => role === 'admin')
    const signers = admins.length > 0 && this.#random.chance(0.8) ? admins : members
    if (signers.length === 0) return
    const signer = this.#random.chance(0.1) ? this.#random.pick(this.#accounts) : this.#random.pick(signers).accountId
    const change = this.#signed(signer, heads, this.#someChange(members))
    try {
      this.#replicas[place] = log.with(change)
      this.#note(change)
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.code !== 'INVALID') throw error
    }
  }

  /** Mostly one that can be made. */
  #someChange(members: readonly GroupMember[]): Change {
    const isIn = (accountId: AccountId): boolean => members.some(member => equalBytes(member.accountId, accountId))
    const outside = this.#accounts.filter(accountId => !isIn(accountId))
    const member = this.#random.pick(members)
    switch (this.#random.below(7)) {
      case 0:
      case 1:
        return {
          kind: 'add',
          targets: this.#targets([this.#random.pick(outside.length > 0 ? outside : this.#accounts)])
        }
      case 2:
      case 3:
        return { kind: 'remove', accounts: [member.accountId] }
      case 4:
      case 5:
        return { kind: 'role', accountId: member.accountId, role: member.role === 'admin' ? 'member' : 'admin' }
      default:
        return this.#random.chance(0.3) ? { kind: 'leave' } : { kind: 'rename', name: `name ${this.#all.length}` }
    }
  }

  #judge(): string | undefined {
    const [first, ...rest] = this.#all
    const logs = Array.from({ length: 3 }, () => this.#joined(GroupLog.of(first!), rest))
    const [log] = logs as [GroupLog]
    this.#report.changes += this.#all.length
    this.#report.voided += log.voidChanges().length
    this.#report.widest = Math.max(this.#report.widest, log.heads.length)
    const expected = said(this.#model.stateAt(log.heads))
    if (logs.some(other => other.heads.map(toHex).join() !== log.heads.map(toHex).join())) return 'heads differ'
    if (logs.some(other => said(other.state) !== expected)) return `${said(log.state)} is not ${expected}`
    const misjudged = this.#all.find(({ id }) => said(log.stateAt([id])) !== said(this.#model.stateAt([id])))
    return misjudged && `the state after change ${this.#all.indexOf(misjudged)} differs`
  }
}

/** A state as text, of the log or of the model. */
function said({ members, name }: Pick<GroupState, 'members' | 'name'> | ModelState): string {
  const people = [...members].map(([account, { role }]) => `${account.slice(0, 6)} ${role}`)
  return `${name}: ${people.sort().join(', ')}`
}
