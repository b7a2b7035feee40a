/**
 * Nodes in this process, for tests of the peer in which loss, copies, order and restarts have to be scripted. They speak
 * the real frames and sign real receipts; what they leave out (links, stores, a chain) has tests of its own.
 */
import { CLOCK_TOLERANCE_MS } from '../../../../protocol/limits.ts'
import { randomBytes } from 'node:crypto'
import { equalBytes, fromHex, toHex } from '../../../../protocol/bytes.ts'
import type { Crypto, SigningKey } from '../../../../protocol/crypto/crypto.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import { deviceOf, isLive } from '../../../../protocol/directory/account.ts'
import {
  addedDeviceOf,
  decodeDeviceRegistration,
  verifyDeviceRegistration
} from '../../../../protocol/linking/device-registration.ts'
import { decodeBundle } from '../../../../protocol/identity/bundle.ts'
import { deviceIdOf, type AccountId, type DeviceId } from '../../../../protocol/identity/device.ts'
import { decode, encode } from '../../../../protocol/codec.ts'
import { linkedAccountCodec, signLinkedAccount } from '../../../../protocol/identity/linked-account.ts'
import { parseStorageAuthorization } from '../../../../protocol/identity/storage-request.ts'
import { MAX_REPORT_BYTES, reportCodec, type Report } from '../../../../protocol/reports/report.ts'
import { siteNames } from '../../../../protocol/identity/site.ts'
import { decodeRecord } from '../../../../protocol/identity/record.ts'
import { decodeRegistration, verifyRegistration } from '../../../../protocol/identity/registration.ts'
import { decodePublicProfile, placesOf } from '../../../../protocol/profile/public-profile.ts'
import { networkIdOf, type Genesis, type NetworkId } from '../../../../protocol/network.ts'
import { merklePaths } from '../../../../protocol/wire/merkle.ts'
import { custodyLeaf, signReceipt, verifyAcknowledgement } from '../../../../protocol/wire/custody.ts'
import type { MailboxToken } from '../../../../protocol/wire/delivery-token.ts'
import {
  decodeEnvelope,
  expiryProblem,
  deliveryIdOf,
  envelopeIdOf,
  type Delivery
} from '../../../../protocol/wire/envelope.ts'
import {
  decodeClientFrame,
  encodeNodeFrame,
  type ClientFrame,
  type NodeFrame,
  type SubmissionResult
} from '../../../../protocol/wire/peer-frames.ts'
import {
  configuredEpoch,
  replicaSet,
  shardOf,
  type Epoch,
  type NodeKey,
  type OperatorId
} from '../../../../protocol/wire/placement.ts'
import type { DirectoryDevice } from '../../../../node/key-directory/directory-port.ts'
import type { NodeStream, HttpClient, Transport } from '../../../../peer/ports.ts'
import { FakeInvites } from './fake-invites.ts'
import { FakeLedger } from './fake-ledger.ts'
import { FakeLinking } from './fake-linking.ts'
import { FakeObjects } from './fake-objects.ts'

/** What happens to a delivery on its way to a device. */
export type Fate = 'deliver' | 'drop' | 'twice' | 'later'

/** Of a network in which nobody has a key for releases. */
export const GENESIS: Genesis = {
  cardanoMagic: 42,
  metadataLabel: 7_368_553,
  shardCount: 8,
  replicaCount: 3,
  nameSalt: new Uint8Array(16).fill(5),
  nameTagCost: { memoryKib: 8, passes: 1 },
  releaseKey: null,
  admittedOperators: []
}

/** The answer of `GET /v1/network`. */
const genesisJson = (genesis: Genesis): object =>
  JSON.parse(
    JSON.stringify(genesis, (_key, value: unknown) => (value instanceof Uint8Array ? toHex(value) : value))
  ) as object

interface Session {
  node: number
  push(frame: NodeFrame): void
  close(): void
  device: DeviceId | undefined
  attached: boolean
}

export class FakeNetwork {
  readonly crypto: Crypto = createNodeCrypto()
  readonly id: NetworkId
  readonly epoch: Epoch
  /** What the nodes read. */
  readonly ledger: FakeLedger
  readonly #keys: SigningKey[]
  readonly #genesis: Genesis
  readonly #accountOfDevice = new Map<string, AccountId>()
  /** Devices that a RECOVER has ended. */
  readonly #revoked = new Set<string>()
  readonly #bundles = new Map<string, Uint8Array>()
  readonly #mailboxes = new Map<string, Map<string, Delivery>>()
  readonly #acknowledged = new Set<string>()
  readonly #sessions = new Set<Session>()
  /** Nodes that do not answer dials. */
  readonly down = new Set<number>()
  /** Nodes that answer over HTTP as if they knew no account. */
  readonly withholding = new Set<number>()
  /** Decides over each delivery; the default delivers. */
  fate: (delivery: Delivery, mailbox: DeviceId) => Fate = () => 'deliver'
  /** Receipts that a submission gets; the default is all. */
  receiptsGiven = Infinity
  /** Changes a frame on its way to the client, or drops it. */
  tamper: (frame: NodeFrame, node: number) => NodeFrame | undefined = frame => frame
  /** Answers a question in place of the network; undefined leaves it to the network. */
  answer: (frame: ClientFrame, node: number) => Promise<NodeFrame | undefined> = async () => undefined
  /** What every node tells each device that attaches about its mailbox. */
  loss: { contacts: number; requests: number; at: number } | undefined
  /** Whether nodes refuse devices whose clock is wrong, as real ones do. */
  checksClocks = false
  /** How far the clocks of the nodes are ahead of the chain's. */
  clockOffset = 0
  /** Times up to which devices said that they know of losses. */
  readonly lossSeen: number[] = []
  /** The boxes of linkings. */
  readonly linking = new FakeLinking()
  /** What nodes keep for accounts. */
  readonly objects = new FakeObjects(device => {
    const account = this.#revoked.has(device) ? undefined : this.#accountOfDevice.get(device)
    return account && toHex(account)
  })
  readonly invites: FakeInvites
  /** What people reported. */
  readonly reports: Report[] = []
  /** Whose account a node names in its word on an account elsewhere; undefined for the one that asks. */
  linksFor: AccountId | undefined
  readonly #usedCodes = new Set<string>()
  /** Of the sign-in that was begun last. */
  #linkBinding: string | undefined
  /** Files of web sites, by host. */
  readonly sites = new Map<string, string>()
  submissions = 0
  /** The clock of nodes and chain. */
  get now(): () => number {
    return this.ledger.now
  }
  set now(clock) {
    this.ledger.now = clock
  }
  /** Delivery tokens that devices handed in, by mailbox in hex. */
  readonly tokens = new Map<string, MailboxToken>()
  /** Every envelope that was handed in, in order. */
  readonly submitted: Uint8Array[] = []
  /** The device, in hex, that handed in each of {@link submitted}. */
  readonly submitters: string[] = []

  private constructor(keys: SigningKey[], genesis: Genesis) {
    this.#keys = keys
    this.#genesis = genesis
    this.id = networkIdOf(this.crypto, genesis)
    this.objects.network = this.id
    this.ledger = new FakeLedger(this.crypto, this.id, genesis)
    const { crypto, id: network } = this
    const directory = { device: (deviceId: DeviceId) => this.#directoryDevice(deviceId) }
    this.invites = new FakeInvites({ crypto, network, publicUrl: 'https://node.example', directory })
    const nodes = keys.map((key, i) => ({
      key: key.publicKey as NodeKey,
      operator: new Uint8Array(32).fill(i + 1) as OperatorId,
      url: `http://127.0.0.1:${9000 + i}`,
      link: ''
    }))
    this.epoch = configuredEpoch(0, new Uint8Array(32).fill(1), nodes)
  }

  static async create(nodes = 1, genesis = GENESIS): Promise<FakeNetwork> {
    const crypto = createNodeCrypto()
    return new FakeNetwork(
      await Promise.all(
        Array.from({ length: nodes }, (_, i) => crypto.signingKeyFromSeed(new Uint8Array(32).fill(100 + i)))
      ),
      genesis
    )
  }

  url(node = 0): string {
    return this.epoch.nodes[node]!.url
  }

  /** Deliveries that no device has acknowledged. */
  get pending(): number {
    return [...this.#mailboxes.values()].reduce((sum, mailbox) => sum + mailbox.size, 0)
  }

  /** Deliveries that one device has not acknowledged. One that was removed acknowledges nothing any more. */
  pendingFor(device: DeviceId): number {
    return this.#mailboxes.get(toHex(device))?.size ?? 0
  }

  /** Ends every connection of a node. */
  hangUp(node: number): void {
    for (const session of [...this.#sessions]) if (session.node === node) session.close()
  }

  /** Hands out again what devices have not acknowledged. */
  redeliver(): void {
    for (const session of this.#sessions) if (session.attached) this.#deliverPending(session)
  }

  readonly transport = (): Transport => ({
    dial: async (url, key) => {
      const node = this.epoch.nodes.findIndex(listed => listed.url === url)
      if (node < 0 || this.down.has(node)) throw new Error('connection refused')
      if (!equalBytes(this.epoch.nodes[node]!.key, key)) throw new Error('another node')
      return this.#connect(node)
    },
    stop: async () => {}
  })

  readonly fetch: HttpClient = async (url, init) => {
    const { pathname, origin } = new URL(url)
    const node = this.epoch.nodes.findIndex(listed => listed.url === origin)
    if (node < 0 || this.down.has(node)) throw new TypeError('fetch failed')
    const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status })
    if (pathname === '/v1/network') return json(this.#networkJson(node))
    if (pathname === '/v1/auth/providers')
      return json({ providers: [{ id: 'demo', name: 'Demo', kind: 'oidc', demo: true }] })
    if (pathname === '/v1/auth/demo/start') {
      this.#linkBinding = (JSON.parse(String(init!.body)) as { binding?: string }).binding
      return json({ url: `${origin}/demo` })
    }
    if (pathname === '/v1/reports') return this.#report(init!)
    if (pathname === '/v1/links') return this.#link(node, init!)
    if (pathname === '/v1/auth/codes') return this.#checkCode(JSON.parse(String(init!.body)) as { code: string })
    if (pathname === '/v1/device-challenge')
      return json({ nonce: toHex(randomBytes(32)), expiresAt: this.#clock() + 60_000 })
    if (pathname.startsWith('/v1/names/')) return json(await this.#namesJson(node, pathname.slice('/v1/names/'.length)))
    const account = /^\/v1\/accounts\/([0-9a-f]{64})\/proof$/.exec(pathname)?.[1]
    if (account) {
      const proof = this.withholding.has(node) ? undefined : this.ledger.proofOf(account)
      return proof ? new Response(proof as Uint8Array<ArrayBuffer>) : json({ error: 'not-found' }, 404)
    }
    if (pathname === '/v1/registrations') return this.#register(node, new Uint8Array(init!.body as Uint8Array))
    if (pathname.startsWith('/v1/backups/')) return this.objects.answerBackup(node, new URL(url), init)
    if (pathname.startsWith('/v1/objects')) return this.objects.answer(node, new URL(url), init)
    if (pathname.startsWith('/v1/sites/')) return json(this.#siteJson(new URL(url)))
    if (pathname.startsWith('/v1/invites')) return this.invites.answer(pathname, init)
    if (pathname.startsWith('/v1/linking/')) return this.linking.answer(pathname, new URL(url), init)
    if (pathname === '/v1/devices') return this.#addDevice(new Uint8Array(init!.body as Uint8Array))
    if (pathname === '/v1/recoveries') return this.#recover(new Uint8Array(init!.body as Uint8Array))
    return json({ error: 'not-found', message: 'no such route' }, 404)
  }

  /** As the route of `node/http/report-routes.ts`, without its limits. */
  #report(init: RequestInit): Response {
    const report = decode(reportCodec, new Uint8Array(init.body as Uint8Array), { maxBytes: MAX_REPORT_BYTES })
    this.reports.push(report)
    return new Response(null, { status: 204 })
  }

  /** As the route of `node/http/link-routes.ts`. A code is `PROVIDER-HANDLE`. */
  async #link(node: number, init: RequestInit): Promise<Response> {
    const header = new Headers(init.headers).get('authorization') ?? ''
    const account = this.#accountOfDevice.get(toHex(parseStorageAuthorization(header).deviceId))!
    const body = new Uint8Array(init.body as Uint8Array)
    const code = new TextDecoder().decode(body.subarray(32))
    const isBound = toHex(this.crypto.sha256(body.slice(0, 32))) === this.#linkBinding
    const refused = new Response('{"error":"bad-code","message":"The code is not valid."}', { status: 403 })
    if (code === 'junk' || !isBound || this.#usedCodes.has(code)) return refused
    this.#usedCodes.add(code)
    const [provider = '', handle = ''] = code.split('-')
    const said = { provider, handle: handle === '' ? null : handle, time: this.#clock() }
    const linked = await signLinkedAccount(this.id, this.#keys[node]!, this.linksFor ?? account, said)
    return new Response(JSON.stringify({ statement: toHex(encode(linkedAccountCodec, linked)) }))
  }

  #siteJson({ pathname, searchParams }: URL): object {
    const file = this.sites.get(pathname.slice('/v1/sites/'.length))
    const state =
      file === undefined ? 'unknown' : siteNames(file, searchParams.get('account')!) ? 'linked' : 'not-linked'
    return { state, checkedAt: Date.now() }
  }

  async #directoryDevice(deviceId: DeviceId): Promise<DirectoryDevice | undefined> {
    const accountId = this.#accountOfDevice.get(toHex(deviceId))
    const device = accountId && deviceOf(await this.ledger.accountState(accountId), deviceId)
    return device && { accountId, keys: device.keys, state: this.#revoked.has(toHex(deviceId)) ? 'revoked' : 'live' }
  }

  /** Whole tags only: while a name is being chosen every name is free here. */
  async #namesJson(node: number, prefix: string): Promise<object> {
    if (prefix.length < 64 || this.withholding.has(node)) return { matches: [], complete: true }
    const matches = await this.ledger.names(fromHex(prefix))
    const shown = matches.map(({ tag, accountId, state }) => ({ tag: toHex(tag), accountId: toHex(accountId), state }))
    return { matches: shown, complete: true }
  }

  /** The last step of a linking, with the checks of a real node. */
  async #addDevice(body: Uint8Array): Promise<Response> {
    const refused = new Response('{"error":"refused"}', { status: 403 })
    if (this.linking.fateOfDevice === 'lost') throw new TypeError('fetch failed')
    const registration = decodeDeviceRegistration(body)
    const { add, deviceId } = addedDeviceOf(this.crypto, this.id, registration)
    const accountId = this.ledger.accountOfRecord(add)
    const account = accountId && (await this.ledger.accountState(accountId))
    const signer = account && deviceOf(account, add.by)
    if (!signer || !isLive(signer)) return refused
    const isThere = this.ledger.holds(toHex(accountId), registration.record)
    if (!isThere && !equalBytes(account.head, add.prev)) return refused
    const now = this.#clock()
    try {
      const checked = { registration, signer: signer.keys.signingKey, now }
      await verifyDeviceRegistration(this.crypto, this.id, checked)
    } catch {
      return refused
    }
    if (!isThere) this.ledger.addRecord(toHex(accountId), registration.record)
    this.#accountOfDevice.set(toHex(deviceId), accountId)
    this.#bundles.set(toHex(deviceId), registration.bundle)
    if (this.linking.fateOfDevice === 'lost answer') throw new TypeError('fetch failed')
    return new Response(JSON.stringify({ deviceId: toHex(deviceId) }), { status: 201 })
  }

  /** Takes a RECOVER: from then on only its device is let in. */
  async #recover(bytes: Uint8Array): Promise<Response> {
    const record = decodeRecord(bytes)
    const accountId = this.ledger.accountOfRecord(record)
    if (record.kind !== 'recover' || !accountId) return new Response('{"error":"refused"}', { status: 403 })
    const known = this.ledger.holds(toHex(accountId), bytes)
    if (!known) this.ledger.addRecord(toHex(accountId), bytes)
    for (const [device, owner] of this.#accountOfDevice) {
      if (equalBytes(owner, accountId)) this.#revoked.add(device)
    }
    const device = toHex(deviceIdOf(this.crypto, this.id, record.device))
    this.#revoked.delete(device)
    this.#accountOfDevice.set(device, accountId)
    for (const session of [...this.#sessions]) {
      if (session.device && this.#revoked.has(toHex(session.device))) session.close()
    }
    return new Response('{"records":"pending"}', { status: 202 })
  }

  #checkCode({ code }: { code: string }): Response {
    return code === 'junk'
      ? new Response(JSON.stringify({ error: 'bad-code', message: 'The code is not valid.' }), { status: 403 })
      : new Response(JSON.stringify({ suggestedName: 'Ada L.' }))
  }

  #networkJson(node: number): object {
    return {
      networkId: toHex(this.id),
      genesis: genesisJson(this.#genesis),
      epoch: {
        number: this.epoch.number,
        seed: toHex(this.epoch.seed),
        nodes: this.epoch.nodes.map(listed => ({ ...listed, key: toHex(listed.key), operator: toHex(listed.operator) }))
      },
      node: toHex(this.epoch.nodes[node]!.key),
      chain: { label: 'test', emulated: true },
      version: '0'
    }
  }

  async #register(node: number, body: Uint8Array): Promise<Response> {
    const registration = decodeRegistration(body)
    const { key } = this.epoch.nodes[node]!
    const { accountId, deviceId } = await verifyRegistration(this.crypto, this.id, key, registration, this.#clock())
    this.ledger.addAccount(accountId, [
      registration.record,
      ...(registration.nameCommit ? [registration.nameCommit] : [])
    ])
    this.#accountOfDevice.set(toHex(deviceId), accountId)
    this.#bundles.set(toHex(deviceId), registration.bundle)
    const answer = { accountId: toHex(accountId), deviceId: toHex(deviceId), attestation: '', records: 'pending' }
    return new Response(JSON.stringify(answer), { status: 201 })
  }

  /** The current bundle of a device. */
  bundlesOf(deviceId: string): Uint8Array[] {
    return [this.#bundles.get(deviceId)!]
  }

  /** Knows a device of an account that was there before. */
  addDevice(deviceId: DeviceId, accountId: AccountId): void {
    this.#accountOfDevice.set(toHex(deviceId), accountId)
  }

  #connect(node: number): NodeStream {
    const queue: Uint8Array[] = []
    let wake: (() => void) | undefined
    let closed = false
    const close = (): void => {
      closed = true
      this.#sessions.delete(session)
      wake?.()
    }
    const push = (frame: NodeFrame): void => {
      const changed = this.tamper(frame, node)
      if (!changed || closed) return
      queue.push(encodeNodeFrame(changed))
      wake?.()
    }
    const session: Session = { node, push, close, device: undefined, attached: false }
    this.#sessions.add(session)
    const nonce = new Uint8Array(randomBytes(32))
    const { key } = this.epoch.nodes[node]!
    push({
      kind: 'hello',
      request: 0,
      versions: [1],
      network: this.id,
      node: key,
      nonce,
      time: this.#clock(),
      epoch: 0
    })
    return {
      node: key,
      clientKey: new Uint8Array(32),
      send: async bytes => {
        if (closed) throw new Error('closed')
        const frame = decodeClientFrame(bytes)
        setImmediate(() => void this.#answer(session, frame))
      },
      receive: async () => {
        while (queue.length === 0 && !closed) await new Promise<void>(resolve => (wake = resolve))
        return queue.shift()
      },
      close
    }
  }

  async #answer(session: Session, frame: ClientFrame): Promise<void> {
    if (!this.#sessions.has(session)) return
    const { request } = frame
    const other = await this.answer(frame, session.node)
    if (other) return session.push(other)
    switch (frame.kind) {
      case 'authenticate': {
        const deviceId = deviceIdOf(this.crypto, this.id, frame.keys)
        const accountId = this.#accountOfDevice.get(toHex(deviceId))
        if (!accountId)
          return session.push({ kind: 'error', request, code: 'unknown-device', message: 'unknown device' })
        if (this.checksClocks && Math.abs(frame.time - this.#clock()) > CLOCK_TOLERANCE_MS)
          return session.push({ kind: 'error', request, code: 'authentication-failed', message: 'clocks' })
        if (this.#revoked.has(toHex(deviceId)))
          return session.push({ kind: 'error', request, code: 'device-revoked', message: 'revoked' })
        // As a real node: one connection for each device, the newest.
        for (const older of [...this.#sessions]) {
          if (older.node === session.node && older.device && equalBytes(older.device, deviceId)) older.close()
        }
        session.device = deviceId
        return session.push({ kind: 'authenticated', request, deviceId, accountId, epoch: this.epoch })
      }
      case 'attach':
        session.attached = true
        session.push({ kind: 'attached', request, pending: this.#mailbox(session.device!).size })
        if (this.loss) session.push({ kind: 'lost', request: 0, ...this.loss })
        this.#deliverPending(session)
        return session.push({ kind: 'caughtUp', request: 0 })
      case 'submit':
        return session.push({ kind: 'submitted', request, results: await this.#submit(session, frame.envelope) })
      case 'acknowledge':
        await this.#acknowledge(frame.acknowledgement)
        return session.push({ kind: 'done', request })
      case 'account': {
        const proof = this.ledger.proofOf(toHex(frame.accountId))
        if (!proof) return session.push({ kind: 'error', request, code: 'not-found', message: 'no such account' })
        return session.push({ kind: 'account', request, proof })
      }
      case 'names':
        return session.push({
          kind: 'names',
          request,
          matches: await this.ledger.names(frame.tagPrefix),
          complete: true
        })
      case 'bundles': {
        const bundles = [...this.#bundles.values()].filter(bytes => {
          const owner = this.#accountOfDevice.get(toHex(decodeBundle(bytes).deviceId))
          return owner && equalBytes(owner, frame.accountId)
        })
        return session.push({ kind: 'bundles', request, bundles })
      }
      case 'publishBundle':
        this.#bundles.set(toHex(session.device!), frame.bundle)
        return session.push({ kind: 'done', request })
      case 'publishToken':
        this.tokens.set(toHex(session.device!), frame.token)
        return session.push({ kind: 'done', request })
      case 'publishProfile':
        this.#keepProfile(frame.profile)
        return session.push({ kind: 'done', request })
      case 'profiles':
        return session.push({ kind: 'profiles', request, profiles: this.profilesAt(frame.place) })
      case 'lossSeen':
        this.lossSeen.push(frame.at)
        return session.push({ kind: 'done', request })
      case 'publishRecords': {
        const accountId = this.#accountOfDevice.get(toHex(session.device!))!
        for (const record of frame.records) {
          // Taking a record twice does no harm.
          if (!this.ledger.holds(toHex(accountId), record)) this.ledger.addRecord(toHex(accountId), record)
        }
        return session.push({ kind: 'done', request })
      }
      case 'epoch':
        return session.push({ kind: 'epoch', request, epoch: this.epoch })
      case 'ping':
        return session.push({ kind: 'pong', request, time: this.#clock() })
    }
  }

  /** Public profiles that devices handed in, by place and account in hex. */
  readonly profiles = new Map<string, Map<string, Uint8Array>>()

  profilesAt(place: Uint8Array): Uint8Array[] {
    return [...(this.profiles.get(toHex(place))?.values() ?? [])]
  }

  /** Without the checks of a real node. */
  #keepProfile(encoded: Uint8Array): void {
    const profile = decodePublicProfile(encoded)
    const account = toHex(profile.accountId)
    const places = placesOf(this.crypto, this.id, profile).map(toHex)
    for (const [place, kept] of this.profiles) if (!places.includes(place)) kept.delete(account)
    for (const place of places) {
      this.profiles.set(place, (this.profiles.get(place) ?? new Map<string, Uint8Array>()).set(account, encoded))
    }
  }

  #clock(): number {
    return this.now() + this.clockOffset
  }

  async #submit({ device }: Session, bytes: Uint8Array): Promise<SubmissionResult[]> {
    this.submissions++
    this.submitted.push(bytes)
    this.submitters.push(toHex(device!))
    const envelope = decodeEnvelope(bytes)
    const { expiry, payload } = envelope
    const envelopeId = envelopeIdOf(this.crypto, this.id, envelope)
    const results: SubmissionResult[] = []
    for (const { mailbox, part, proof } of envelope.recipients) {
      const id = deliveryIdOf(this.crypto, this.id, envelopeId, { mailbox, part, proof })
      const problem = this.checksClocks ? expiryProblem(expiry, this.#clock()) : undefined
      if (problem) {
        const by = {
          version: 1,
          node: this.epoch.nodes[0]!.key,
          epoch: this.epoch.number,
          time: this.#clock()
        } as const
        const reason = problem === 'expired' ? ('expired' as const) : ('expiry-too-far' as const)
        const refusal = { ...by, mailbox, id, reason, signature: new Uint8Array(64) }
        results.push({ mailbox, id, state: 'refused', receipts: [], refusal })
        continue
      }
      const delivery: Delivery = { id, expiry, class: envelope.class, part, proof, payload, storedAt: this.#clock() }
      const key = toHex(id)
      if (!this.#acknowledged.has(key)) {
        // Submitted again, it stays as old as it was.
        const kept = this.#mailbox(mailbox).get(key) ?? delivery
        this.#mailbox(mailbox).set(key, kept)
        this.#route(mailbox, kept)
      }
      results.push({ mailbox, id, state: 'stored', receipts: await this.#receipts(mailbox, id, expiry), refusal: null })
    }
    return results
  }

  async #receipts(mailbox: DeviceId, id: Delivery['id'], expiry: number): Promise<SubmissionResult['receipts']> {
    const shard = shardOf(this.crypto, this.id, this.#genesis, mailbox)
    const replicas = replicaSet(this.crypto, this.id, this.#genesis, this.epoch, shard)
    const leaves = [custodyLeaf(id, mailbox, expiry)]
    const receipts = []
    for (const replica of replicas.slice(0, this.receiptsGiven)) {
      const key = this.#keys[this.epoch.nodes.indexOf(replica)]!
      const fields = { node: replica.key, epoch: this.epoch.number, shard, time: this.#clock() }
      const receipt = await signReceipt(this.crypto, this.id, key, fields, leaves)
      receipts.push({ receipt, index: 0, path: merklePaths(this.crypto, leaves)[0]! })
    }
    return receipts
  }

  /** Deliveries that a device has not acknowledged. @param device - its id in hex. */
  waitingFor(device: string): number {
    return this.#mailboxes.get(device)?.size ?? 0
  }

  #mailbox(mailbox: DeviceId): Map<string, Delivery> {
    const key = toHex(mailbox)
    const found = this.#mailboxes.get(key) ?? new Map<string, Delivery>()
    this.#mailboxes.set(key, found)
    return found
  }

  #route(mailbox: DeviceId, delivery: Delivery): void {
    const fate = this.fate(delivery, mailbox)
    if (fate === 'drop') this.#mailbox(mailbox).delete(toHex(delivery.id))
    if (fate !== 'deliver' && fate !== 'twice') return
    for (let i = fate === 'twice' ? 2 : 1; i > 0; i--) this.push(mailbox, delivery)
  }

  /** Delivers to a device that is attached. */
  push(mailbox: DeviceId, delivery: Delivery): void {
    for (const session of this.#sessions) {
      if (session.attached && session.device && equalBytes(session.device, mailbox)) {
        session.push({ kind: 'deliver', request: 0, deliveries: [delivery] })
      }
    }
  }

  #deliverPending(session: Session): void {
    for (const delivery of this.#mailbox(session.device!).values()) {
      session.push({ kind: 'deliver', request: 0, deliveries: [delivery] })
    }
  }

  async #acknowledge(acknowledgement: Parameters<typeof verifyAcknowledgement>[2]): Promise<void> {
    const mailbox = await verifyAcknowledgement(this.crypto, this.id, acknowledgement)
    if (!mailbox) return
    for (const id of acknowledgement.ids) {
      this.#acknowledged.add(toHex(id))
      this.#mailbox(mailbox).delete(toHex(id))
    }
  }
}
