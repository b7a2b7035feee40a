/** Finds vector files and runs each on each backend. */
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { CryptoWithPrimitives } from '../../protocol/crypto/primitives.ts'
import { isHpke, runHpke } from './hpke-vectors.ts'
import { failed, Tally, type Report } from './verdict.ts'
import { hasEd25519, isWycheproof, runWycheproof, wycheproofAlgorithm } from './wycheproof.ts'

/** Largest vector file read; the largest published one has 4 MB. */
const MAX_FILE_BYTES = 64 * 1024 * 1024

/** What a run over a folder found. */
export interface Summary {
  files: number
  failed: number
  /** Files with Ed25519 tests that some backend did not run completely. */
  ed25519Skipped: string[]
}

/**
 * Every `.json` file below a folder, sorted; symbolic links are followed once.
 * @throws NodeJS.ErrnoException if the folder itself cannot be read.
 */
export async function findVectorFiles(directory: string): Promise<string[]> {
  const found: string[] = []
  const visited = new Set<string>()
  const walk = async (folder: string): Promise<void> => {
    const real = await realpath(folder)
    if (visited.has(real)) return
    visited.add(real)
    for (const name of (await readdir(folder)).sort()) {
      const path = join(folder, name)
      const info = await stat(path).catch(() => undefined)
      if (info?.isDirectory()) await walk(path).catch(() => found.push(path))
      else if (name.endsWith('.json')) found.push(path)
    }
  }
  await walk(directory)
  return found
}

/**
 * Runs every vector file below a folder on every backend and hands out one report per pair. Whatever a file holds, it
 * ends as a report; a file that is no vector file counts as one failure.
 */
export async function runVectorFolder(
  directory: string,
  backends: CryptoWithPrimitives[],
  onReport: (report: Report) => void
): Promise<Summary> {
  const files = await findVectorFiles(directory)
  const summary: Summary = { files: files.length, failed: 0, ed25519Skipped: [] }
  for (const path of files) {
    const file = relative(directory, path)
    const document = await readDocument(path)
    const mustRun = 'value' in document && hasEd25519(document.value)
    for (const crypto of backends) {
      const report = await runDocument(file, document, crypto)
      onReport(report)
      summary.failed += report.failed
      if (mustRun && (report.passed === 0 || report.skipped > 0))
        summary.ed25519Skipped.push(`${file} (${crypto.name})`)
    }
  }
  return summary
}

type Document = { value: unknown } | { problem: string }

async function readDocument(path: string): Promise<Document> {
  try {
    const { size } = await stat(path)
    if (size > MAX_FILE_BYTES) return { problem: `larger than ${MAX_FILE_BYTES} bytes` }
    return { value: JSON.parse(await readFile(path, 'utf8')) as unknown }
  } catch (error) {
    return { problem: error instanceof SyntaxError ? 'not JSON' : `cannot be read: ${(error as Error).message}` }
  }
}

async function runDocument(file: string, document: Document, crypto: CryptoWithPrimitives): Promise<Report> {
  const tally = new Tally()
  let algorithm = 'unknown'
  try {
    if ('problem' in document) throw new Error(document.problem)
    if (isHpke(document.value)) {
      algorithm = 'HPKE'
      await runHpke(document.value, crypto, tally)
    } else if (isWycheproof(document.value)) {
      algorithm = wycheproofAlgorithm(document.value)
      await runWycheproof(document.value, crypto, tally)
    } else {
      throw new Error('neither Wycheproof nor HPKE vectors')
    }
  } catch (error) {
    tally.add(failed((error as Error).message))
  }
  return tally.report(file, crypto.name, algorithm)
}
