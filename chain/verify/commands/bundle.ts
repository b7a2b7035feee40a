import { toHex } from '../../../protocol/bytes.ts'
import { ReleaseError } from '../manifest-errors.ts'
import {
  decodeWebManifest,
  MAX_WEB_MANIFEST_BYTES,
  WEB_MANIFEST_PATH,
  webManifestHash,
  type WebManifest
} from '../web-manifest.ts'
import { judgeFailure } from '../checks/answer.ts'
import type { Invocation } from '../arguments.ts'
import { VerifyError } from '../errors.ts'
import { withSources, type Surroundings } from '../open-sources.ts'
import { readBounded } from '../sources/proof-file.ts'
import { newestRelease, type NewestRelease } from '../checks/releases.ts'
import { counted } from '../report/render-human.ts'
import type { VerificationReport } from '../report/report.ts'
import { compareServedFiles, extraFiles, fetchManifest, type ServedManifest } from '../checks/served-app.ts'
import { NodeSource } from '../sources/node-source.ts'
import type { Verification } from '../checks/verification.ts'

/** Paths that are told one by one. */
const MAX_TOLD_PATHS = 10

/** `bundle`: whether the web app that nodes serve is the released one, file by file. */
export async function run(invocation: Invocation, surroundings: Surroundings): Promise<VerificationReport> {
  const { nodes, proofs, manifest: manifestFile } = invocation
  if (nodes.length === 0 || proofs.length > 0) {
    throw new VerifyError('USAGE', 'bundle looks at what nodes serve: name some with --node')
  }
  const given = manifestFile === undefined ? undefined : await readManifest(manifestFile)
  return withSources(invocation, surroundings, async run => {
    const newest = await newestRelease(run)
    if (!newest) return run.report(0, { release: null, nodes: [] })
    if (given && given.hash !== toHex(newest.release.manifestHash)) {
      run.checklist.fail('manifest', 'the given manifest is that of the newest release', { detail: given.hash })
      return run.report(newest.level, { release: releaseFacts(newest), nodes: [] }, [describe(newest)])
    }
    const facts = []
    for (const source of run.sources) {
      if (source instanceof NodeSource) facts.push(await checkNode(run, source, newest, given?.manifest))
    }
    return run.report(newest.level, { release: releaseFacts(newest), nodes: facts }, [describe(newest)])
  })
}

async function readManifest(path: string): Promise<{ hash: string; manifest: WebManifest }> {
  const bytes = await readBounded(path, MAX_WEB_MANIFEST_BYTES)
  try {
    return { hash: toHex(webManifestHash(bytes)), manifest: decodeWebManifest(bytes) }
  } catch (cause) {
    if (!(cause instanceof ReleaseError)) throw cause
    throw new VerifyError('MALFORMED', `${path} is ${cause.message}`, { cause })
  }
}

interface NodeFacts {
  name: string
  /** Hash of the manifest that it serves, lower-case hex. */
  manifest: string | null
  same: number
  changed: readonly string[]
  missing: readonly string[]
  extra: readonly string[]
}

async function checkNode(
  run: Verification,
  source: NodeSource,
  newest: NewestRelease,
  given: WebManifest | undefined
): Promise<NodeFacts> {
  const facts: NodeFacts = { name: source.name, manifest: null, same: 0, changed: [], missing: [], extra: [] }
  try {
    const init = { origin: source.party.origin, signal: run.init.signal }
    const served = await fetchManifest(init)
    facts.manifest = served?.hash ?? null
    // With the manifest at hand, one that is not served is a missing file like any other.
    const isReleased = (given && !served) || judgeManifest(run, source, newest, served)
    const released = given ?? (isReleased ? served?.manifest : undefined)
    if (!released) {
      // Only the manifest says which files the release has, and no source has shown it.
      if (served) run.checklist.skip('files', 'every file is that of the release', false, { source: source.name })
      return facts
    }
    const files = await compareServedFiles(init, released)
    const missing = served ? files.missing : [...files.missing, WEB_MANIFEST_PATH]
    Object.assign(facts, files, { missing, extra: extraFiles(served?.manifest, released) })
    judgeFiles(run, facts)
  } catch (error) {
    const judged = judgeFailure(error)
    if (!judged) throw error
    const outcome = judged.kind === 'refused' ? 'failed' : judged.kind
    run.checklist.add('files', outcome, 'the node serves the app', { detail: judged.reason, source: source.name })
  }
  return facts
}

function judgeManifest(
  { checklist }: Verification,
  { name }: NodeSource,
  { release, releases }: NewestRelease,
  served: ServedManifest | undefined
): boolean {
  const claim = 'the node serves the manifest that the newest release names'
  if (!served) {
    checklist.absent('manifest', claim, { detail: 'it serves none', source: name })
    return false
  }
  if (served.hash === toHex(release.manifestHash) && served.manifest) {
    checklist.pass('manifest', claim, { source: name })
    return true
  }
  const older = releases.find(({ manifestHash }) => toHex(manifestHash) === served.hash)
  if (older) {
    const detail = `it serves release ${Buffer.from(older.version).toString()} of block ${older.order.blockHeight}`
    checklist.unconfirmed('manifest', claim, { detail, source: name })
  } else checklist.fail('manifest', claim, { detail: `it serves ${served.hash}, which no release names`, source: name })
  return false
}

function judgeFiles({ checklist }: Verification, { name, same, changed, missing, extra }: NodeFacts): void {
  const claim = 'every file is that of the release'
  const problems = [told('changed', changed), told('missing', missing), told('extra', extra)].filter(
    text => text !== ''
  )
  if (problems.length === 0) checklist.pass('files', claim, { detail: counted(same, 'file'), source: name })
  else checklist.fail('files', claim, { detail: problems.join('; '), source: name })
}

function told(what: string, paths: readonly string[]): string {
  if (paths.length === 0) return ''
  const rest = paths.length > MAX_TOLD_PATHS ? ` and ${paths.length - MAX_TOLD_PATHS} more` : ''
  return `${what}: ${paths.slice(0, MAX_TOLD_PATHS).join(', ')}${rest}`
}

function releaseFacts({ release, confirmations }: NewestRelease): Record<string, unknown> {
  const { recordId, version, manifestHash, order, transactionId, blockHash } = release
  return {
    record: toHex(recordId),
    version: Buffer.from(version).toString(),
    manifestHash: toHex(manifestHash),
    confirmations,
    place: {
      block: order.blockHeight,
      blockHash: toHex(blockHash),
      txIndex: order.txIndex,
      transaction: toHex(transactionId),
      recordIndex: order.recordIndex
    }
  }
}

const describe = ({ release }: NewestRelease): string =>
  `release ${Buffer.from(release.version).toString()}, manifest ${toHex(release.manifestHash)}`
