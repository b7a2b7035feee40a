/**
 * The rules of docs/groups.md once more, as slowly and plainly as they are written there: what the log of a group comes to is
 * compared with this. It shares no code with protocol/groups but the types of a change.
 */
import { toHex } from '../../../protocol/bytes.ts'
import type { Change, GroupChange } from '../../../protocol/groups/group-change.ts'

interface ModelMember {
  role: 'member' | 'admin'
  /** The change that made the person a member. */
  ground: string
  /** Compared item by item; null for those who are no admins. */
  rank: [generation: number, change: string, account: string] | null
}

export interface ModelState {
  members: Map<string, ModelMember>
  name: string
}

const ABOUT_SELF = (change: Change, signer: string): boolean =>
  change.kind === 'leave' || (change.kind === 'role' && toHex(change.accountId) === signer)

export class GroupModel {
  readonly #changes = new Map<string, GroupChange>()
  readonly #states = new Map<string, ModelState>()
  readonly #before = new Map<string, Set<string>>()

  add(change: GroupChange): void {
    const id = toHex(change.id)
    const parents = change.parents.map(toHex)
    this.#changes.set(id, change)
    this.#before.set(id, new Set(parents.flatMap(parent => [parent, ...this.#before.get(parent)!])))
  }

  /** What the group is after these changes and all before them. */
  stateAt(heads: readonly Uint8Array[]): ModelState {
    const key = heads.map(toHex).sort().join()
    const known = this.#states.get(key)
    if (known) return known
    const set = new Set(heads.map(toHex).flatMap(head => [head, ...this.#before.get(head)!]))
    const state = this.#merge([...set].filter(id => this.isEffective(id, set)))
    this.#states.set(key, state)
    return state
  }

  /** Whether a change counts where these are known. */
  isEffective(id: string, set: ReadonlySet<string>): boolean {
    const change = this.#changes.get(id)!
    const signer = toHex(change.accountId)
    if (change.change.kind === 'create' || ABOUT_SELF(change.change, signer)) return true
    const me = this.#past(id).members.get(signer)!
    if (!this.isEffective(me.rank?.[1] ?? me.ground, set)) return false
    return ![...set].some(other => this.#voids(other, id, me.rank) && this.isEffective(other, set))
  }

  #voids(other: string, id: string, rank: ModelMember['rank']): boolean {
    if (other === id || this.#isBefore(other, id) || this.#isBefore(id, other)) return false
    const { change, accountId } = this.#changes.get(other)!
    const signer = toHex(this.#changes.get(id)!.accountId)
    const by = toHex(accountId)
    const isOut =
      (change.kind === 'leave' && by === signer) ||
      (change.kind === 'remove' && change.accounts.some(account => toHex(account) === signer)) ||
      (change.kind === 'role' && change.role === 'member' && toHex(change.accountId) === signer && rank !== null)
    return isOut && (by === signer || !ranksBefore(rank, this.#past(other).members.get(by)!.rank))
  }

  #isBefore(one: string, other: string): boolean {
    return this.#before.get(other)!.has(one)
  }

  #past(id: string): ModelState {
    return this.stateAt(this.#changes.get(id)!.parents)
  }

  #merge(effective: string[]): ModelState {
    const members = new Map<string, ModelMember>()
    for (const account of new Set(effective.flatMap(id => this.#namedBy(id)))) {
      const member = this.#member(account, effective)
      if (member) members.set(account, member)
    }
    return { members, name: this.#name(effective) }
  }

  #namedBy(id: string): string[] {
    const { change, accountId } = this.#changes.get(id)!
    if (change.kind === 'create') return [toHex(accountId), ...change.targets.map(target => toHex(target.accountId))]
    if (change.kind === 'add') return change.targets.map(target => toHex(target.accountId))
    return change.kind === 'role' ? [toHex(change.accountId)] : []
  }

  #member(account: string, effective: string[]): ModelMember | undefined {
    const of = (kind: 'out' | 'in' | 'up' | 'down'): string[] =>
      effective.filter(id => this.#saysOf(id, account).includes(kind))
    const isIn = (id: string): boolean => of('out').every(out => this.#isBefore(out, id))
    const added = of('in').filter(isIn).sort()
    const raised = of('up').filter(isIn)
    const isUp = (id: string): boolean => of('down').every(down => this.#isBefore(down, id))
    const ground = added[0] ?? raised.filter(id => !added.includes(id)).sort()[0]
    if (ground === undefined) return undefined
    const ranks = raised.filter(isUp).map(id => this.#rankBy(id, account))
    const [rank = null] = ranks.sort((a, b) => (ranksBefore(a, b) ? -1 : 1))
    return { role: rank ? 'admin' : 'member', ground, rank }
  }

  /** `in`: adds. `up`: makes an admin. */
  #saysOf(id: string, account: string): string[] {
    const { change, accountId } = this.#changes.get(id)!
    const by = toHex(accountId)
    switch (change.kind) {
      case 'create':
      case 'add': {
        const target = change.targets.find(each => toHex(each.accountId) === account)
        if (change.kind === 'create' && by === account) return ['in', 'up']
        return target ? (target.role === 'admin' ? ['in', 'up'] : ['in']) : []
      }
      case 'remove':
        return change.accounts.some(each => toHex(each) === account) ? ['out'] : []
      case 'leave':
        return by === account ? ['out'] : []
      case 'role':
        return toHex(change.accountId) === account ? [change.role === 'admin' ? 'up' : 'down'] : []
      default:
        return []
    }
  }

  #rankBy(id: string, account: string): [number, string, string] {
    const { change, accountId } = this.#changes.get(id)!
    const by = toHex(accountId)
    if (change.kind === 'create') return [by === account ? 0 : 1, id, account]
    return [(this.#past(id).members.get(by)!.rank?.[0] ?? 0) + 1, id, account]
  }

  #name(effective: string[]): string {
    const named = effective.filter(id => ['create', 'rename'].includes(this.#changes.get(id)!.change.kind))
    const last = named.filter(id => !named.some(other => this.#isBefore(id, other)))
    const rankOf = (id: string): ModelMember['rank'] => {
      const { change, accountId } = this.#changes.get(id)!
      return change.kind === 'create' ? null : this.#past(id).members.get(toHex(accountId))!.rank
    }
    const [winner] = last.sort((a, b) =>
      ranksBefore(rankOf(a), rankOf(b)) ? -1 : ranksBefore(rankOf(b), rankOf(a)) ? 1 : a < b ? -1 : 1
    )
    const { change } = this.#changes.get(winner!)!
    return (change as Extract<Change, { kind: 'create' | 'rename' }>).name
  }
}

/** Whether `a` ranks before `b`. Everybody ranks before those who are no admins. */
function ranksBefore(a: ModelMember['rank'], b: ModelMember['rank']): boolean {
  if (a === null || b === null) return a !== null && b === null
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]!
  return false
}
