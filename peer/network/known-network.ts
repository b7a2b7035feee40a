import { equalBytes, fromHex, toHex, utf8 } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { nameTagOf, type Username } from '../../protocol/identity/username.ts'
import { MAX_NODE_LIST_PROOF_BYTES } from '../../protocol/limits.ts'
import type { Epoch, ListedNode } from '../../protocol/wire/placement.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import { PeerError } from '../errors.ts'
import type { StatusProblem } from '../problems.ts'
import type { NameAvailability } from '../peer-api.ts'
import type { HttpClient, Log, Timers } from '../ports.ts'
import type { SealedStore } from '../store/sealed-store.ts'
import { isAgreed, operatorOf } from './epoch-agreement.ts'
import { askNode, jsonOf } from './node-http.ts'
import { isProvenList, type ListSources } from './node-list-check.ts'
import {
  isLocalDevnet,
  isNewerEpoch,
  isSameEpoch,
  networkInfoToJson,
  parseNetworkInfo,
  type NetworkInfo
} from './network-info.ts'

const NAME = { space: 'network' }
const TIMEOUT_MS = 5_000
/** Where a node answers unless told otherwise. */
export const DEFAULT_ENTRY = 'http://127.0.0.1:8787'
/** Other operators are asked about a list that one tells at most this often. */
const AGREEMENT_INTERVAL_MS = 5_000
/** And about ever other lists of one operator. */
const OTHER_LIST_INTERVAL_MS = 1_000

export interface KnownNetworkComponents {
  crypto: Crypto
  store: SealedStore
  fetch: HttpClient
  log: Log
  timers: Timers
  onChange: () => void
  /** The list that a node tells on a stream, or undefined if it cannot be reached. */
  epochOverStream: (node: ListedNode) => Promise<Epoch | undefined>
}

/** The network and its nodes, as first learned from the entry node and kept for when that node is gone. */
export class KnownNetwork {
  readonly #components: KnownNetworkComponents
  readonly #chosenEntry: string | undefined
  #info: NetworkInfo | undefined
  readonly #turns = new SerialQueue()
  #problem: StatusProblem | null = null
  /** The list whose proof was checked last. */
  #proven: Epoch | undefined
  /** When others were last asked about which list, by the operator of the list in force that told it. */
  readonly #asked = new Map<string, { epoch: Epoch; at: number }>()

  constructor(components: KnownNetworkComponents, entry: string | undefined) {
    this.#components = components
    this.#chosenEntry = entry
  }

  get isKnown(): boolean {
    return this.#info !== undefined
  }

  /** @throws PeerError `offline` before the first node was reached. */
  get info(): NetworkInfo {
    if (this.#info) return this.#info
    throw new PeerError('offline', { origin: this.entry })
  }

  /** Origin of the node that the user chose. */
  get entry(): string {
    return this.#chosenEntry ?? this.#info?.entry ?? DEFAULT_ENTRY
  }

  /** What is wrong with the entry node; null if all is well. */
  get problem(): StatusProblem | null {
    return this.#problem
  }

  /** Reads what an earlier process learned. */
  async load(): Promise<void> {
    const bytes = await this.#components.store.get(NAME)
    if (!bytes) return
    const { entry, network } = JSON.parse(new TextDecoder().decode(bytes)) as { entry: string; network: unknown }
    this.#info = parseNetworkInfo(this.#components.crypto, network, this.#chosenEntry ?? entry)
  }

  /** Learns the network if it is not known yet. @throws PeerError as {@link refresh}. */
  async require(): Promise<NetworkInfo> {
    if (!this.#info) await this.refresh()
    return this.info
  }

  /** Asks the entry node for the network and its nodes. @throws PeerError `offline`, `not-a-node`, `other-network`, `unproven-list`. */
  async refresh(): Promise<void> {
    const { crypto } = this.#components
    const told = parseNetworkInfo(crypto, await this.#fetch('/v1/network'), this.entry)
    if (!this.#info) {
      await isProvenList(this.#listSources, told, told.epoch, [this.entry])
      return this.#save(told)
    }
    if (!equalBytes(told.id, this.#info.id)) {
      this.#problem = { code: 'other-network', facts: { origin: this.entry } }
      throw new PeerError('other-network', { origin: this.entry })
    }
    this.#problem = null
    if (this.#info.entry !== this.entry) await this.#change(info => ({ ...info, entry: this.entry }))
    if (!isNewerEpoch(this.#info, told.epoch)) return
    // A devnet has one process behind all its nodes, here: there is nobody to ask.
    if (isLocalDevnet(told) && told.genesis.placement === undefined) return this.#replace(told.epoch)
    await this.#consider(told.epoch, node => node.url === this.entry)
  }

  /** As {@link refresh}, for the background: what goes wrong is for the log. */
  async tryRefresh(): Promise<void> {
    try {
      await this.refresh()
    } catch (error) {
      this.#components.log.debug('the entry node was not asked', { reason: String(error) })
    }
    this.#components.onChange()
  }

  /** A node told its list on its stream: a newer one is taken if another operator of the list in force tells it, too. */
  async noteEpoch(epoch: Epoch, key: Uint8Array): Promise<void> {
    if (isNewerEpoch(this.info, epoch)) await this.#consider(epoch, node => equalBytes(node.key, key))
  }

  async #consider(told: Epoch, isTeller: (node: ListedNode) => boolean): Promise<void> {
    const { timers, log, epochOverStream } = this.#components
    const now = timers.monotonic()
    const { info } = this
    const isFollowing = info.genesis.placement !== undefined
    // By teller: a liar's lists must not keep another's from being looked at. What an unproven list says names nobody.
    const known = operatorOf(info, told, false, isTeller)
    const key = known ? toHex(known) : ''
    const asked = this.#asked.get(key)
    const interval = asked && isSameEpoch(asked.epoch, told) ? AGREEMENT_INTERVAL_MS : OTHER_LIST_INTERVAL_MS
    if (asked && now - asked.at < interval) return
    this.#asked.set(key, { epoch: told, at: now })
    const isProven = await this.#isProven(told)
    if (isFollowing && !isProven) return
    const overHttp = async (node: ListedNode): Promise<Epoch> => this.#listOf(node.url)
    const sources = { overHttp, overStream: epochOverStream, log }
    const teller = operatorOf(info, told, isProven, isTeller)
    const agreed = await isAgreed(sources, info, told, teller, isProven)
    if (!agreed) return log.warn('one node alone tells another list of nodes', { epoch: told.number })
    if (isNewerEpoch(this.info, told)) await this.#replace(told)
  }

  /** Whether records prove a list; one that was looked at lately is not asked for again. */
  async #isProven(told: Epoch): Promise<boolean> {
    if (this.#proven && isSameEpoch(this.#proven, told)) return true
    const { log } = this.#components
    const { info } = this
    try {
      const origins = [this.entry, ...info.epoch.nodes.map(node => node.url)]
      const isProven = await isProvenList(this.#listSources, info, told, origins)
      if (isProven) this.#proven = told
      return isProven
    } catch (error) {
      if (!(error instanceof PeerError)) throw error
      log.warn('a list of nodes was not taken', { epoch: told.number, reason: error.message })
      return false
    }
  }

  get #listSources(): ListSources {
    const { crypto, log } = this.#components
    return { crypto, log, fetchProof: (path, origin) => this.#fetchProof(path, origin) }
  }

  /** @throws PeerError if the node cannot be asked, or belongs to another network. */
  async #listOf(origin: string): Promise<Epoch> {
    const told = parseNetworkInfo(this.#components.crypto, await this.#fetch('/v1/network', origin), origin)
    if (equalBytes(told.id, this.info.id)) return told.epoch
    throw new PeerError('other-network', { origin })
  }

  async #replace(epoch: Epoch): Promise<void> {
    this.#components.log.debug('node list changed', { epoch: epoch.number, nodes: epoch.nodes.length })
    // Looked at again in its turn: while one list was checked, a newer one may have been taken.
    await this.#change(info => (isNewerEpoch(info, epoch) ? { ...info, epoch } : info))
    this.#asked.clear()
  }

  /** Whether a name is free, asked over HTTP because there is no account to ask with yet. Only 2 bytes of its tag are told. */
  async availability(username: Username): Promise<NameAvailability> {
    const { id, genesis } = this.info
    const tag = await nameTagOf(this.#components.crypto, id, genesis, username)
    try {
      const answer = await this.#fetch(`/v1/names/${toHex(tag.subarray(0, 2))}`)
      const { matches, complete } = answer as { matches?: unknown; complete?: unknown }
      if (!Array.isArray(matches)) return 'unknown'
      const isTaken = matches.some(match => equalBytes(fromHex(String((match as { tag?: unknown }).tag)), tag))
      if (isTaken) return 'taken'
      return complete === true ? 'available' : 'unknown'
    } catch (error) {
      this.#components.log.debug('name could not be checked', { reason: String(error) })
      return 'unknown'
    }
  }

  /** @throws PeerError `offline`, `not-a-node`, `bad-answer`. */
  async #fetch(path: string, origin = this.entry): Promise<unknown> {
    const answer = await askNode(this.#components.fetch, origin, path, { timeoutMs: TIMEOUT_MS })
    const json = answer.ok ? jsonOf(answer) : undefined
    if (json === undefined) throw new PeerError('not-a-node', { origin })
    return json
  }

  /** @throws Error unless the node answers with a proof. */
  async #fetchProof(path: string, origin: string): Promise<Uint8Array> {
    const question = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_NODE_LIST_PROOF_BYTES }
    const answer = await askNode(this.#components.fetch, origin, path, question)
    if (!answer.ok) throw new Error(`the node answers ${answer.status}`)
    return answer.bytes
  }

  #save(info: NetworkInfo): Promise<void> {
    return this.#turns.run(() => this.#write(info))
  }

  /** Changes what is known at that moment, one change after the other. */
  #change(change: (info: NetworkInfo) => NetworkInfo): Promise<void> {
    return this.#turns.run(async () => {
      const info = change(this.info)
      if (info !== this.#info) await this.#write(info)
    })
  }

  async #write(info: NetworkInfo): Promise<void> {
    const text = JSON.stringify({ entry: info.entry, network: networkInfoToJson(info) })
    await this.#components.store.batch([{ ...NAME, value: utf8(text) }])
    this.#info = info
  }
}
