import { equalBytes, fromHex, toHex, utf8 } from '../../../protocol/bytes.ts'
import { blake2b256 } from '../../../protocol/directory/transaction.ts'
import { judgeFailure } from '../checks/answer.ts'
import type { Invocation } from '../arguments.ts'
import { VerifyError } from '../errors.ts'
import { httpGet, jsonOf, statusText } from '../sources/http-client.ts'
import { withSources, type Surroundings } from '../open-sources.ts'
import type { VerificationReport } from '../report/report.ts'
import { areIndependent } from '../sources/account-source.ts'
import { NodeSource } from '../sources/node-source.ts'
import { ReplaySource } from '../sources/replay-source.ts'
import type { Verification } from '../checks/verification.ts'

const MAX_ANSWER_BYTES = 64 * 1024
const MAX_REASONS = 10

/** RFC 8032, section 7.1, test 2: a signature that must verify. */
const ED25519 = {
  publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  message: '72',
  signature:
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
}
/** The identity point as a key and R, S = 0: verifies for every message under a lenient rule. */
const SMALL_ORDER_KEY = `01${'00'.repeat(31)}`
const SMALL_ORDER_SIGNATURE = SMALL_ORDER_KEY + '00'.repeat(32)
/** BLAKE2b-256 of nothing (RFC 7693 with a 32-byte output). */
const BLAKE2B_256_EMPTY = '0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8'

/** `doctor`: whether the sources answer, are of one network and up to date, and whether this machine computes right. */
export function run(invocation: Invocation, surroundings: Surroundings): Promise<VerificationReport> {
  if (invocation.proofs.length > 0) throw new VerifyError('USAGE', 'doctor looks at nodes and servers, not at files')
  return withSources(invocation, surroundings, async run => {
    await checkMachine(run)
    const facts = []
    for (const source of run.sources) {
      if (source instanceof NodeSource) facts.push(await checkNode(run, source))
      else if (source instanceof ReplaySource) facts.push(await checkServer(run, source))
    }
    checkIndependence(run)
    const lines = facts.map(({ name, latencyMs }) => `${name}: ${latencyMs} ms an answer`)
    return run.report(0, { sources: facts }, lines)
  })
}

async function checkMachine({ checklist, init }: Verification): Promise<void> {
  const { publicKey, message, signature } = ED25519
  const isAccepted = await init.crypto.verify(fromHex(publicKey), fromHex(message), fromHex(signature))
  const isLenient = await init.crypto.verify(fromHex(SMALL_ORDER_KEY), utf8('any'), fromHex(SMALL_ORDER_SIGNATURE))
  const isRight = isAccepted && !isLenient
  checklist.add('ed25519', isRight ? 'passed' : 'failed', 'signatures are verified by the strict rule')
  const hashes = equalBytes(blake2b256(new Uint8Array(0)), fromHex(BLAKE2B_256_EMPTY))
  checklist.add('blake2b', hashes ? 'passed' : 'failed', 'transactions are hashed as Cardano hashes them')
}

interface SourceHealth {
  name: string
  kind: string
  latencyMs: number | null
  [fact: string]: unknown
}

async function timed(ask: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await ask()
  return Math.round(performance.now() - start)
}

async function checkNode(run: Verification, source: NodeSource): Promise<SourceHealth> {
  const { nodeKey, operator, listedUrls, chainLabel } = source.facts
  const health: SourceHealth = {
    name: source.name,
    kind: source.kind,
    latencyMs: null,
    nodeKey,
    operator: operator ?? null,
    listed: listedUrls,
    chain: chainLabel
  }
  await guarded(run, source.name, async () => {
    health.latencyMs = await timed(() => checkReadiness(run, source))
  })
  const detail = operator === undefined ? undefined : `operator ${operator.slice(0, 16)}…`
  run.checklist.require('listed', operator !== undefined, 'the node is one that its network lists', {
    source: source.name,
    ...(detail === undefined ? {} : { detail })
  })
  return health
}

async function checkReadiness(run: Verification, { name, party }: NodeSource): Promise<void> {
  const answer = await httpGet(`${party.origin}/readyz`, { maxBytes: MAX_ANSWER_BYTES, signal: run.init.signal })
  const claim = 'the node is ready'
  if (answer.status === 200) return run.checklist.pass('ready', claim, { source: name })
  if (answer.status !== 503)
    throw new VerifyError('UNREACHABLE', statusText(answer.status, answer.body, answer.contentType))
  const { reasons } = jsonOf({ ...answer, status: 200 }) as { reasons?: unknown }
  const texts = (Array.isArray(reasons) ? reasons : [])
    .slice(0, MAX_REASONS)
    .map(reason => (reason as { message?: unknown } | null)?.message)
    .filter(message => typeof message === 'string')
  run.checklist.unconfirmed('ready', claim, { detail: texts.join(' ') || 'it does not say why', source: name })
}

async function checkServer(run: Verification, source: ReplaySource): Promise<SourceHealth> {
  const health: SourceHealth = { name: source.name, kind: source.kind, latencyMs: null, tip: null }
  const chain = source.components.source
  const call = run.init.signal ? { signal: run.init.signal } : {}
  await guarded(run, source.name, async () => {
    health.latencyMs = await timed(async () => {
      const tip = await chain.tip(call)
      run.sawTip(source, { ...tip, hash: fromHex(tip.hash) })
      health['tip'] = tip
    })
    const ids = await chain.labelPage(run.init.network.genesis.metadataLabel, { page: 1, ...call })
    run.checklist.pass('label', "the network's label can be read", { source: source.name })
    const [first] = ids
    if (!first) return
    const bytes = await chain.transactionBytes(first, call)
    if (!bytes) throw new VerifyError('BAD_ANSWER', `it lists transaction ${first} and does not have it`)
    run.checklist.pass('bytes', 'raw transactions are served and hash to their ids', { source: source.name })
  })
  return health
}

async function guarded(run: Verification, source: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const judged = judgeFailure(error)
    if (!judged) throw error
    const outcome = judged.kind === 'refused' ? 'failed' : judged.kind
    run.checklist.add('source', outcome, 'the source answers', { detail: judged.reason, source })
  }
}

function checkIndependence({ checklist, sources, init }: Verification): void {
  if (sources.length < 2) return
  const isEvery = sources.every((a, i) => sources.every((b, j) => i === j || areIndependent(a, b)))
  const detail = `network ${toHex(init.network.id).slice(0, 16)}…`
  checklist.require('independence', isEvery, 'the sources are of different parties', { detail })
}
