import { equalBytes, fromHex, toHex, utf8 } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { nameTagOf, type Username } from '../../protocol/identity/username.ts'
import type { Epoch } from '../../protocol/wire/placement.ts'
import { PeerError, type NameAvailability } from '../peer-api.ts'
import type { HttpClient, Log } from '../ports.ts'
import type { SealedStore } from '../store/sealed-store.ts'
import { isNewerEpoch, networkInfoToJson, parseNetworkInfo, type NetworkInfo } from './network-info.ts'

const NAME = { space: 'network' }
const TIMEOUT_MS = 5_000
/** Where a node answers unless told otherwise. */
export const DEFAULT_ENTRY = 'http://127.0.0.1:8787'
const MAX_ANSWER_CHARS = 1024 * 1024

export interface NetworkBookComponents {
  crypto: Crypto
  store: SealedStore
  fetch: HttpClient
  log: Log
  onChange: () => void
}

/** The network and its nodes, as first learned from the entry node and kept for when that node is gone. */
export class NetworkBook {
  readonly #components: NetworkBookComponents
  readonly #chosenEntry: string | undefined
  #info: NetworkInfo | undefined
  #problem: string | null = null

  constructor(components: NetworkBookComponents, entry: string | undefined) {
    this.#components = components
    this.#chosenEntry = entry
  }

  get isKnown(): boolean {
    return this.#info !== undefined
  }

  /** @throws PeerError `offline` before the first node was reached. */
  get info(): NetworkInfo {
    if (this.#info) return this.#info
    throw new PeerError('offline', `${this.entry} cannot be reached. Check the address, or try again later.`)
  }

  /** Origin of the node that the user chose. */
  get entry(): string {
    return this.#chosenEntry ?? this.#info?.entry ?? DEFAULT_ENTRY
  }

  /** What is wrong with the entry node, in plain words. */
  get problem(): string | null {
    return this.#problem
  }

  /** Reads what an earlier process learned. */
  async load(): Promise<void> {
    const bytes = await this.#components.store.get(NAME)
    if (!bytes) return
    const { entry, network } = JSON.parse(new TextDecoder().decode(bytes)) as { entry: string; network: unknown }
    this.#info = parseNetworkInfo(this.#components.crypto, network, this.#chosenEntry ?? entry)
  }

  /** Learns the network if it is not known yet. @throws PeerError `offline`, `refused`. */
  async require(): Promise<NetworkInfo> {
    if (!this.#info) await this.refresh()
    return this.info
  }

  /** Asks the entry node for the network and its nodes. @throws PeerError `offline`, `refused` for another network. */
  async refresh(): Promise<void> {
    const { crypto, log } = this.#components
    const told = parseNetworkInfo(crypto, await this.#fetch('/v1/network'), this.entry)
    if (!this.#info) return this.#save(told)
    if (!equalBytes(told.id, this.#info.id)) {
      this.#problem = `${this.entry} belongs to another network than this device’s account.`
      throw new PeerError('refused', this.#problem)
    }
    this.#problem = null
    if (isNewerEpoch(this.#info, told.epoch)) {
      log.debug('node list changed', { epoch: told.epoch.number, nodes: told.epoch.nodes.length })
      await this.#save({ ...this.#info, epoch: told.epoch, entry: this.entry })
    } else if (this.#info.entry !== this.entry) await this.#save({ ...this.#info, entry: this.entry })
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

  /** A node told a newer list. */
  async noteEpoch(epoch: Epoch): Promise<void> {
    await this.#save({ ...this.info, epoch })
  }

  /** Whether a name is free, asked over HTTP because there is no account to ask with yet. Only 2 bytes of its tag are told. */
  async availability(username: Username): Promise<NameAvailability> {
    const { id, genesis } = this.info
    const tag = await nameTagOf(id, genesis, username)
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

  async #fetch(path: string): Promise<unknown> {
    let answer: Response
    let text: string
    try {
      answer = await this.#components.fetch(this.entry + path, { signal: AbortSignal.timeout(TIMEOUT_MS) })
      text = (await answer.text()).slice(0, MAX_ANSWER_CHARS)
    } catch (error) {
      throw new PeerError('offline', `${this.entry} cannot be reached. Check the address, or try again later.`, {
        cause: error
      })
    }
    try {
      if (answer.ok) return JSON.parse(text)
    } catch {
      // Reported below.
    }
    throw new PeerError('refused', `${this.entry} does not answer like a Volo node.`)
  }

  async #save(info: NetworkInfo): Promise<void> {
    const text = JSON.stringify({ entry: info.entry, network: networkInfoToJson(info) })
    await this.#components.store.batch([{ ...NAME, value: utf8(text) }])
    this.#info = info
  }
}
