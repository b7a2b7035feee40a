/**
 * Random histories with rollbacks: accounts act on what they see, blocks take what they like from the records that are
 * about, and the chain goes back and takes another way. A follower keeps a final directory and a fork on top, a client
 * keeps its memory of revocations. In the end the follower must have what a fold of the final chain gives, and no device
 * that the client once held as revoked may have come back, unless the chain shows that it revoked its younger revoker.
 */
import { bytesKey, type OrderedRecord } from '../../../protocol/directory/order.ts'
import { historyOf, liveDevices, type AccountState } from '../../../protocol/directory/account.ts'
import { accountDigest, directoryDigest } from '../../../protocol/directory/digest.ts'
import { Directory } from '../../../protocol/directory/directory.ts'
import { foldAccount } from '../../../protocol/directory/fold-account.ts'
import { parseRecord, type ParsedRecord } from '../../../protocol/directory/parsed-record.ts'
import { rememberRevokes, withRevokeMemory, type RevokeMemory } from '../../../protocol/directory/revoke-memory.ts'
import {
  buildAdd,
  buildNameCommit,
  buildNameRelease,
  buildNameReveal,
  buildRecover,
  buildRevoke,
  buildRotate
} from '../../../protocol/identity/build-record.ts'
import type { RecordId } from '../../../protocol/identity/device.ts'
import { nameCommitment } from '../../../protocol/identity/name-commitment.ts'
import { encodeRecord, type DirectoryRecord } from '../../../protocol/identity/record.ts'
import { equalBytes, toHex } from '../../../protocol/bytes.ts'
import {
  bytesOf,
  castDevice,
  castKey,
  CHAIN_START,
  crypto,
  genesis,
  network,
  type CastDevice
} from '../../support/directory/cast.ts'
import { createRecord } from '../../support/directory/test-chain.ts'
import { SeededRandom } from '../../support/seeded-random.ts'

/** How much to try. */
export interface ForkCampaign {
  /** Decides everything; schedule `i` runs under `seed + i`. */
  seed: number
  schedules: number
  /** Deepest rollback, in blocks. */
  maxDepth: number
  /** Rounds of acting, mining and maybe going back, in one schedule. */
  rounds?: number
  /** Stop early after this many milliseconds. */
  budgetMs?: number
}

/** What a campaign went through. */
export interface ForkReport {
  schedules: number
  records: number
  rollbacks: number
  deepest: number
  /** Devices that the client held as revoked while the chain did not. */
  heldRevoked: number
  /** How often the final chains led to each effect and each reason to skip a record. */
  reached: Record<string, number>
}

const ACCOUNTS = ['f-ada', 'f-bob']
const NAMES = ['one', 'two']
const DEVICES_EACH = 6
/** Long blocks, so that the 24 hours of a counter-revoke end within a schedule. */
const FORK_BLOCK_MS = 2 * 60 * 60 * 1000

/** Every device that can appear, by its id. */
const castById = new Map<string, CastDevice>()
for (const account of ACCOUNTS) {
  for (let i = 1; i <= DEVICES_EACH; i++) {
    const device = await castDevice(`${account}${i}`)
    castById.set(bytesKey(device.deviceId), device)
  }
}
/** Recovery keys in the order in which a RECOVER replaces them. */
const recoveryKeys = await Promise.all([0, 1, 2, 3].map(i => castKey(`f-recovery${i === 0 ? '' : i}`)))
const creates = await Promise.all(ACCOUNTS.map(account => createRecord(account, 'f-recovery')))

const tagOf = (name: string): Uint8Array => bytesOf(`tag ${name}`)
const saltOf = (account: AccountState, name: string): Uint8Array => bytesOf(`salt ${name} ${toHex(account.accountId)}`)
const commitmentOf = (account: AccountState, name: string): Uint8Array =>
  nameCommitment(crypto, network, tagOf(name), account.accountId, saltOf(account, name))

/** @throws Error naming the seed of the schedule in which a property did not hold. */
export async function runForkCampaign(campaign: ForkCampaign): Promise<ForkReport> {
  const report: ForkReport = { schedules: 0, records: 0, rollbacks: 0, deepest: 0, heldRevoked: 0, reached: {} }
  const deadline = performance.now() + (campaign.budgetMs ?? Infinity)
  for (let i = 0; i < campaign.schedules && performance.now() < deadline; i++) {
    const seed = campaign.seed + i
    try {
      await new Schedule(new SeededRandom(seed), campaign.maxDepth, report).run(campaign.rounds ?? 14)
    } catch (cause) {
      throw new Error(`schedule ${seed} with rollbacks up to ${campaign.maxDepth} blocks failed`, { cause })
    }
    report.schedules++
  }
  return report
}

interface Block {
  records: Uint8Array[]
}

class Schedule {
  readonly #random: SeededRandom
  readonly #maxDepth: number
  readonly #report: ForkReport
  readonly #chain: Block[] = []
  /** Records that were built and may yet be mined, again or for the first time. */
  readonly #about: Uint8Array[] = creates.map(encodeRecord)
  readonly #parsed = new Map<string, ParsedRecord>()
  readonly #final = Directory.create(crypto, network, genesis)
  readonly #memories = new Map<string, RevokeMemory>()
  #finalHeight = 0
  #clock = 0

  constructor(random: SeededRandom, maxDepth: number, report: ForkReport) {
    this.#random = random
    this.#maxDepth = maxDepth
    this.#report = report
  }

  async run(rounds: number): Promise<void> {
    this.#mine()
    for (let round = 0; round < rounds; round++) {
      const view = await this.#follow()
      const actions = this.#random.below(4)
      for (let i = 0; i < actions; i++) await this.#act(view)
      if (this.#random.chance(0.3)) this.#rollBack(1 + this.#random.below(this.#maxDepth))
      const blocks = 1 + this.#random.below(this.#random.chance(0.2) ? this.#maxDepth : 4)
      for (let i = 0; i < blocks; i++) this.#mine()
    }
    while (this.#chain.length - this.#finalHeight < this.#maxDepth) this.#mine()
    await this.#follow()
    this.#rollBack(this.#maxDepth)
    for (let i = 0; i < this.#maxDepth; i++) this.#mine()
    await this.#compare(await this.#follow())
  }

  /** A block takes some of what is about, in its own order, some of it again. */
  #mine(): void {
    const taken = this.#random.shuffled(this.#about).filter(() => this.#random.chance(0.4))
    this.#chain.push({ records: taken })
    for (const record of taken) if (this.#random.chance(0.8)) this.#about.splice(this.#about.indexOf(record), 1)
  }

  /** Below the final height nothing ever goes back. */
  #rollBack(wanted: number): void {
    const depth = Math.min(wanted, this.#chain.length - this.#finalHeight)
    const lost = this.#chain.splice(this.#chain.length - depth).flatMap(({ records }) => records)
    // A publisher puts most of them back in its queue.
    this.#about.push(...lost.filter(() => this.#random.chance(0.9)))
    this.#report.rollbacks++
    this.#report.deepest = Math.max(this.#report.deepest, depth)
  }

  #entries(from: number, to: number): OrderedRecord[] {
    return this.#chain.slice(from, to).flatMap(({ records }, i) =>
      records.map((bytes, txIndex) => ({
        bytes,
        order: { blockHeight: from + i, txIndex, recordIndex: 0 },
        blockTime: CHAIN_START + (from + i) * FORK_BLOCK_MS
      }))
    )
  }

  async #apply(directory: Directory, { bytes, order, blockTime }: OrderedRecord): Promise<void> {
    const key = bytesKey(bytes)
    let parsed = this.#parsed.get(key)
    if (!parsed) {
      const result = parseRecord(crypto, network, bytes)
      if (result.kind === 'rejected') throw new Error(`built a record that is ${result.code}`)
      parsed = result.parsed
      this.#parsed.set(key, parsed)
    }
    await directory.applyParsed({ parsed, order, blockTime })
  }

  /** What a follower does at each poll, and a client with what it learns. */
  async #follow(): Promise<Directory> {
    const finalHeight = Math.max(this.#finalHeight, this.#chain.length - this.#maxDepth)
    for (const entry of this.#entries(this.#finalHeight, finalHeight)) await this.#apply(this.#final, entry)
    this.#finalHeight = finalHeight
    const provisional = this.#final.fork()
    for (const entry of this.#entries(finalHeight, this.#chain.length)) await this.#apply(provisional, entry)
    for (const account of provisional.accounts()) this.#watch(account)
    return provisional
  }

  #watch(account: AccountState): void {
    const key = bytesKey(account.accountId)
    const memory = rememberRevokes(this.#memories.get(key), account)
    this.#memories.set(key, memory)
    const shown = withRevokeMemory(account, memory)
    this.#report.heldRevoked += liveDevices(account).length - liveDevices(shown).length
    for (const { deviceId } of liveDevices(shown)) {
      for (const { device, by } of memory.seen) {
        if (equalBytes(device, deviceId)) this.#requireAnswered(account, deviceId, by)
      }
    }
  }

  /** Judged by the records of the chain themselves, not by what the fold made of them. */
  #requireAnswered(account: AccountState, deviceId: Uint8Array, by: Uint8Array | null): void {
    const first = account.devices.find(
      device => equalBytes(device.deviceId, deviceId) || (by !== null && equalBytes(device.deviceId, by))
    )
    const answered = historyOf(account).some(({ recordId }) => {
      const record = [...this.#parsed.values()].find(({ id }) => equalBytes(id, recordId))!.record
      return record.kind === 'revoke' && by !== null && equalBytes(record.by, deviceId) && equalBytes(record.device, by)
    })
    const isOlder = equalBytes(first!.deviceId, deviceId)
    if (!answered || !isOlder) throw new Error(`device ${toHex(deviceId)} came back to life`)
  }

  /** Someone does something, by what the chain says now or said in the past. */
  async #act(view: Directory): Promise<void> {
    const accounts = [...view.accounts()]
    if (accounts.length === 0) return
    const account = this.#random.pick(accounts)
    const record = await this.#build(account)
    if (record) {
      this.#about.push(encodeRecord(record))
      this.#report.records++
    }
  }

  async #build(account: AccountState): Promise<DirectoryRecord | undefined> {
    const likely = this.#random.chance(0.4) ? this.#likely(account) : undefined
    if (likely) return likely
    const device = this.#random.pick(account.devices)
    const cast = castById.get(bytesKey(device.deviceId))!
    const prev = this.#random.chance(0.9) ? account.head : this.#random.pick(historyOf(account)).recordId
    const by = { key: cast.key, deviceId: cast.deviceId, prev, time: this.#clock++ }
    const fresh = [...castById.values()].filter(
      ({ name, deviceId }) =>
        name.startsWith(castById.get(bytesKey(account.devices[0]!.deviceId))!.name.slice(0, 5)) &&
        !account.devices.some(known => equalBytes(known.deviceId, deviceId))
    )
    const name = this.#random.pick(NAMES)
    switch (this.#random.below(10)) {
      case 0:
      case 1:
      case 2: {
        const added = fresh[0]
        return added && buildAdd(network, by, added.key, added.keys.messagingKeyHash)
      }
      case 3:
      case 4:
      case 5:
        return buildRevoke(network, by, this.#random.pick(account.devices).deviceId, 'stolen')
      case 6:
        return buildRotate(network, by, this.#random.bytes(32))
      case 7:
        return buildNameCommit(network, by, commitmentOf(account, name))
      case 8:
        return account.names.length > 0
          ? buildNameRelease(network, by, tagOf(name))
          : buildNameReveal(network, by, tagOf(name), saltOf(account, name))
      default:
        return this.#recover(account, fresh[0])
    }
  }

  /** What a person would do next, so that the rarer rules are met often: answer a REVOKE, open a commitment. */
  #likely(account: AccountState): Promise<DirectoryRecord> | undefined {
    const by = (deviceId: Uint8Array): Parameters<typeof buildRevoke>[1] => {
      const { key, deviceId: id } = castById.get(bytesKey(deviceId))!
      return { key, deviceId: id, prev: account.head, time: this.#clock++ }
    }
    const evicted = account.devices.find(({ revocation }) => revocation?.by && revocation.counterUntil !== null)
    if (evicted) return buildRevoke(network, by(evicted.deviceId), evicted.revocation!.by!, 'stolen')
    const live = liveDevices(account)[0]
    const name = NAMES.find(candidate =>
      account.commitments.some(({ commitment }) => equalBytes(commitment, commitmentOf(account, candidate)))
    )
    if (!live || !name) return undefined
    return buildNameReveal(network, by(live.deviceId), tagOf(name), saltOf(account, name))
  }

  async #recover(account: AccountState, added: CastDevice | undefined): Promise<DirectoryRecord | undefined> {
    const index = recoveryKeys.findIndex(key => account.recoveryKey && equalBytes(key.publicKey, account.recoveryKey))
    if (index < 0 || !added || !this.#random.chance(0.3)) return undefined
    return buildRecover(network, recoveryKeys[index]!, added.key, {
      prev: this.#random.pick(historyOf(account)).recordId satisfies RecordId,
      messagingKeyHash: added.keys.messagingKeyHash,
      recoveryKey: recoveryKeys[index + 1]?.publicKey ?? null,
      time: this.#clock++
    })
  }

  /** The follower against a fold from scratch, and each account against a fold of its own. */
  async #compare(follower: Directory): Promise<void> {
    const entries = this.#entries(0, this.#chain.length)
    const scratch = Directory.create(crypto, network, genesis)
    for (const entry of entries) {
      const verdict = await scratch.apply(entry)
      for (const what of verdict.kind === 'rejected' ? [verdict.code] : verdict.effects.map(({ kind }) => kind)) {
        this.#report.reached[what] = (this.#report.reached[what] ?? 0) + 1
      }
    }
    const [expected, got] = [scratch, follower].map(directory => toHex(directoryDigest(crypto, network, directory)))
    if (expected !== got) throw new Error('the follower differs from the fold of the final chain')
    for (const account of scratch.accounts()) {
      const alone = await foldAccount(crypto, network, account.accountId, entries)
      if (!alone) throw new Error('an account cannot be folded alone')
      const [whole, single] = [account, alone.account].map(state => toHex(accountDigest(crypto, network, state)))
      if (whole !== single) throw new Error('an account folded alone differs from the directory')
    }
  }
}
