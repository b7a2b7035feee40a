/** The releases of the web app on the chain, as each source shows them, and whether the sources agree. */
import { equalBytes, fromHex } from '../../../protocol/bytes.ts'
import { compareOrder } from '../../../protocol/directory/order.ts'
import {
  checkReleaseProof,
  decodeReleaseProof,
  MAX_RELEASE_PROOF_BYTES,
  type CheckedReleases,
  type PlacedRelease
} from '../../../protocol/directory/proofs/release-proof.ts'
import { SETTLED_CONFIRMATIONS } from '../../../protocol/limits.ts'
import { judgeFailure } from './answer.ts'
import { VerifyError } from '../errors.ts'
import { httpGet, isNotFound, statusText } from '../sources/http-client.ts'
import { counted } from '../report/render-human.ts'
import type { TrustLevel } from '../report/report.ts'
import { areIndependent, type AccountSource } from '../sources/account-source.ts'
import { NodeSource } from '../sources/node-source.ts'
import { ReplaySource } from '../sources/replay-source.ts'
import type { Verification } from './verification.ts'

/** What one source shows, checked. */
interface ShownReleases extends CheckedReleases {
  readonly source: AccountSource
}

/** The newest release that the sources show. */
export interface NewestRelease {
  readonly release: PlacedRelease
  /** All of them, oldest first, as the source shows it that shows most. */
  readonly releases: readonly PlacedRelease[]
  /** Blocks on top of its own and its own, by the lowest tip of those that show it. */
  readonly confirmations: number
  readonly level: TrustLevel
}

/** Asks every source and judges what they say. @returns `undefined` if none of them shows a release. */
export async function newestRelease(run: Verification): Promise<NewestRelease | undefined> {
  const shown: ShownReleases[] = []
  for (const source of run.sources) {
    const answer = await askForReleases(run, source)
    if (answer) shown.push(atHeight(run, answer))
  }
  const best = shown.reduce<ShownReleases | undefined>(
    (most, next) => (most && !isAhead(next, most) ? most : next),
    undefined
  )
  const release = best?.releases.at(-1)
  if (!best || !release) {
    if (shown.length > 0) run.checklist.absent('release', 'a release of the web app is recorded')
    return undefined
  }
  const version = Buffer.from(release.version).toString()
  run.checklist.pass('release', 'a release of the web app is recorded, signed by the release key of genesis', {
    detail: `${version}, block ${release.order.blockHeight}`
  })
  const agreeing = shown.filter(other => judgeAgainst(run, best, other))
  const confirmations = Math.min(...agreeing.map(({ tip }) => tip.height - release.order.blockHeight + 1))
  const claim = `the release has ${counted(run.init.options.minConf, 'confirmation')}`
  run.checklist.require('confirmations', confirmations >= run.init.options.minConf, claim, {
    detail: String(confirmations)
  })
  const isConfirmed = agreeing.some(a => agreeing.some(b => areIndependent(a.source, b.source)))
  return { release, releases: best.releases, confirmations, level: isConfirmed ? 2 : 1 }
}

/** @returns `undefined` if the source gives no usable answer, which the checklist then says. */
async function askForReleases(run: Verification, source: AccountSource): Promise<ShownReleases | undefined> {
  try {
    const checked = source instanceof NodeSource ? await askNode(run, source) : await askServer(run, source)
    run.sawTip(source, checked.tip)
    const claim = `${counted(checked.releases.length, 'release')} re-hashed and verified`
    run.checklist.pass('records', claim, { source: source.name })
    return { ...checked, source }
  } catch (error) {
    const judged = judgeFailure(error)
    if (!judged) throw error
    const outcome = judged.kind === 'refused' ? 'failed' : judged.kind
    run.checklist.add('records', outcome, 'what it says about releases holds', {
      detail: judged.reason,
      source: source.name
    })
    return undefined
  }
}

async function askNode({ init }: Verification, { party }: NodeSource): Promise<CheckedReleases> {
  const request = { maxBytes: MAX_RELEASE_PROOF_BYTES, signal: init.signal }
  const answer = await httpGet(`${party.origin}/v1/releases`, request)
  if (isNotFound(answer)) throw new VerifyError('UNREACHABLE', 'it is too old to tell of releases')
  if (answer.status !== 200) {
    throw new VerifyError('UNREACHABLE', statusText(answer.status, answer.body, answer.contentType))
  }
  const { crypto, network } = init
  return checkReleaseProof(crypto, network.id, network.genesis, decodeReleaseProof(answer.body))
}

async function askServer({ init }: Verification, source: AccountSource): Promise<CheckedReleases> {
  if (!(source instanceof ReplaySource)) throw new VerifyError('USAGE', 'bundle asks nodes and servers, not files')
  const replay = await source.replay({ signal: init.signal })
  const releases = replay.directory.releases().map(({ recordId, version, manifestHash, order }) => {
    const { id, blockHash } = replay.transactionAt(order!)!
    const places = { order: order!, transactionId: fromHex(id), blockHash: fromHex(blockHash) }
    return { recordId, version, manifestHash, ...places }
  })
  return { releases, tip: { ...replay.tip, hash: fromHex(replay.tip.hash) } }
}

function atHeight({ init }: Verification, shown: ShownReleases): ShownReleases {
  const last = init.options.atHeight ?? Infinity
  return { ...shown, releases: shown.releases.filter(({ order }) => order.blockHeight <= last) }
}

const isAhead = (a: ShownReleases, b: ShownReleases): boolean =>
  compareOrder(a.releases.at(-1)?.order ?? null, b.releases.at(-1)?.order ?? null) > 0 && a.releases.length > 0

const isSame = (a: PlacedRelease, b: PlacedRelease | undefined): boolean =>
  b !== undefined &&
  compareOrder(a.order, b.order) === 0 &&
  equalBytes(a.recordId, b.recordId) &&
  equalBytes(a.transactionId, b.transactionId) &&
  equalBytes(a.blockHash, b.blockHash)

/** Holds a source against the one that shows most. @returns whether they agree on the newest release. */
function judgeAgainst({ checklist }: Verification, best: ShownReleases, other: ShownReleases): boolean {
  if (other === best) return true
  const newest = best.releases.at(-1)!
  const claim = 'the sources agree on the newest release'
  const notes = (detail: string) => ({ detail, source: other.source.name })
  if (isSame(newest, other.releases.at(-1))) {
    checklist.pass('agreement', claim, { source: other.source.name })
    return true
  }
  const isElsewhere = other.releases.some(release => {
    const twin = best.releases.find(known => equalBytes(known.recordId, release.recordId))
    // A source shows the newest ones only, so an older one may be missing there.
    return twin ? !isSame(release, twin) : compareOrder(release.order, best.releases[0]!.order) > 0
  })
  const depth = other.tip.height - newest.order.blockHeight + 1
  if (isElsewhere) checklist.fail('agreement', claim, notes(`${best.source.name} has releases in other places`))
  else if (depth >= SETTLED_CONFIRMATIONS) {
    checklist.fail('agreement', claim, notes(`it lacks the newest one, ${depth} blocks below its tip`))
  } else checklist.unconfirmed('agreement', claim, notes('it lacks the newest one'))
  return false
}
