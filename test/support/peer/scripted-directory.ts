/**
 * A peer's directory with its store, its holds and its plans, over operators that say what a test wants, in time that the test
 * makes pass. What is tested is real; only nodes, clock and disk are the test's.
 */
import { randomBytes } from 'node:crypto'
import { toHex } from '../../../protocol/bytes.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import type { ClientFrame, NodeFrame } from '../../../protocol/wire/peer-frames.ts'
import { configuredEpoch, type NodeKey, type OperatorId } from '../../../protocol/wire/placement.ts'
import { Secret } from '../../../protocol/secret.ts'
import { DirectoryClient } from '../../../peer/directory/directory-client.ts'
import type { KnownAccount } from '../../../peer/directory/known-account.ts'
import { decodeStoredAccount } from '../../../peer/directory/known-account.ts'
import { PersonTrust } from '../../../peer/directory/person-trust.ts'
import { SendHolds } from '../../../peer/directory/send-holds.ts'
import type { EngineContext } from '../../../peer/engine-context.ts'
import { conversationOf, ConversationRoster } from '../../../peer/groups/conversation-roster.ts'
import { GroupBook } from '../../../peer/groups/group-book.ts'
import { NodeRefusal, type NodeConnection } from '../../../peer/network/node-connection.ts'
import { SILENT_LOG } from '../../../peer/ports.ts'
import { SealingPlanner, type Held, type SealingPlan } from '../../../peer/sending/sealing-plan.ts'
import { createAesAtRestCipher } from '../../../peer/store/aes-at-rest-cipher.ts'
import { SealedStore } from '../../../peer/store/sealed-store.ts'
import { StateStore } from '../../../peer/store/state-store.ts'
import { EMPTY_CONVERSATION } from '../../../peer/store/conversation-entries.ts'
import { slots } from '../../../peer/store/store-layout.ts'
import { ManualTimers } from '../clock/manual-timers.ts'
import { bytesOf, castDevice, crypto, genesis, network } from '../directory/cast.ts'
import { answerFrame, type DirectoryAnswers } from '../verify/lied-frames.ts'
import { MemoryStore } from './memory-store.ts'

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

export interface ScriptedInit {
  /** The account whose device asks. */
  self: { accountId: AccountId; deviceName: string }
  /** What the node of each operator says, the one in use first. It may change what it says. */
  operators: DirectoryAnswers[]
  /** The time at first, milliseconds since 1970. */
  now: number
  /** Waited for around each access of nodes and disk. */
  pause?: () => Promise<void>
  onChange?: (account: KnownAccount) => void
}

export class ScriptedDirectory {
  readonly timers: ManualTimers
  readonly store: SealedStore
  readonly directory: DirectoryClient
  readonly trust: PersonTrust
  readonly holds: SendHolds
  readonly #planner: SealingPlanner
  readonly #states: StateStore
  readonly #context: EngineContext

  private constructor(init: ScriptedInit, store: SealedStore, deviceId: Uint8Array) {
    const { self, operators, pause = () => Promise.resolve() } = init
    this.timers = new ManualTimers(init.now)
    this.store = store
    const nodes = operators.map((_, i) => ({
      key: bytesOf(`node ${i}`) as NodeKey,
      operator: bytesOf(`operator ${i}`) as OperatorId,
      url: `http://127.0.0.1:${9_000 + i}`,
      link: ''
    }))
    const info = {
      id: network,
      genesis,
      epoch: configuredEpoch(0, new Uint8Array(32), nodes),
      label: 'test',
      emulated: true,
      entry: nodes[0]!.url
    }
    this.#context = {
      crypto,
      random,
      timers: this.timers,
      store,
      log: SILENT_LOG,
      network: () => info,
      device: () => ({ deviceId }) as ReturnType<EngineContext['device']>,
      accountId: () => self.accountId
    }
    const connections = operators.map((answers, i) => connectionTo(nodes[i]!.key, answers, pause))
    this.trust = new PersonTrust(store, () => this.timers.now())
    this.directory = new DirectoryClient({
      ...this.#context,
      trust: this.trust,
      connection: () => connections[0]!,
      otherOperator: async () => connections[1],
      fetch: () => Promise.reject(new Error('no HTTP here')),
      onChange: account => init.onChange?.(account)
    })
    this.holds = new SendHolds(this.#context, this.directory, this.trust)
    this.#states = new StateStore(store)
    const roster = new ConversationRoster(this.#context, this.directory, new GroupBook(this.#context, this.#states))
    this.#planner = new SealingPlanner(this.#context, this.#states, this.directory, this.holds, roster)
  }

  static async create(init: ScriptedInit, disk = new MemoryStore()): Promise<ScriptedDirectory> {
    const cipher = createAesAtRestCipher(crypto, new Secret(new Uint8Array(32)), random)
    const sealed = await SealedStore.open(withPauses(disk, init.pause), cipher, crypto, random)
    const { deviceId } = await castDevice(init.self.deviceName)
    return new ScriptedDirectory(init, sealed, deviceId)
  }

  /** Devices, hex, that a message to an account would be sealed to now; the reason where it is held. */
  async sealsTo(accountId: AccountId): Promise<string[] | string> {
    const plan = await this.#planOrHold(accountId)
    if ('held' in plan) return plan.held
    return plan.roster.members
      .filter(member => toHex(member.accountId) === toHex(accountId))
      .flatMap(({ devices }) => devices.map(({ deviceId }) => toHex(deviceId)))
  }

  /** What a message to an account would be sealed by now. @throws Error while it is held. */
  async plan(accountId: AccountId): Promise<SealingPlan> {
    const plan = await this.#planOrHold(accountId)
    if ('held' in plan) throw new Error(`held: ${plan.held}`)
    return plan
  }

  /** As `SealingPlanner.isCurrent`. */
  isCurrent(plan: SealingPlan): boolean {
    return this.#planner.isCurrent(plan)
  }

  async #planOrHold(accountId: AccountId): Promise<SealingPlan | Held> {
    const participants = conversationOf(this.#context, [this.#context.accountId(), accountId])
    const conversationId = toHex(participants.conversationId)
    await this.#states.unit(async unit => {
      unit.write(slots.conversation(conversationId), {
        ...participants,
        ...EMPTY_CONVERSATION,
        updatedAt: this.timers.now()
      })
    })
    const plan = (await this.#planner.readyPlan(conversationId)) ?? (await this.#planner.plan(conversationId))
    if (!plan) throw new Error('there is no such conversation')
    return plan
  }

  /** What the disk has of an account. */
  async onDisk(accountId: AccountId) {
    const bytes = await this.store.get({ space: 'account', id: toHex(accountId) })
    return bytes && decodeStoredAccount(bytes)
  }
}

function connectionTo(node: NodeKey, answers: DirectoryAnswers, pause: () => Promise<void>): NodeConnection {
  const request = async (frame: ClientFrame): Promise<NodeFrame> => {
    await pause()
    const asked = { ...frame, request: 1 }
    if (asked.kind === 'bundles') return { kind: 'bundles', request: 1, bundles: [] }
    const answer = await answerFrame(asked, answers)
    await pause()
    if (!answer || answer.kind === 'error') throw new NodeRefusal(answer?.code ?? 'internal', 'refused')
    return answer
  }
  return { node, request, close: () => undefined } as unknown as NodeConnection
}

/** The disk takes its time, too. */
function withPauses(disk: MemoryStore, pause: (() => Promise<void>) | undefined): MemoryStore {
  if (!pause) return disk
  const slow = Object.create(disk) as MemoryStore
  slow.get = async key => {
    await pause()
    const value = await disk.get(key)
    await pause()
    return value
  }
  slow.batch = async (changes, options) => {
    await pause()
    await disk.batch(changes, options)
    await pause()
  }
  slow.range = async options => {
    await pause()
    return disk.range(options)
  }
  return slow
}
