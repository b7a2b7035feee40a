/** `npm run vectors -- DIR`: published test vectors against every backend of the crypto seam. */
import { stat } from 'node:fs/promises'
import { allBackends } from './backends.ts'
import { runVectorFolder } from './vector-files.ts'

const HELP = `Usage: npm run vectors -- DIR

Runs every Wycheproof-format file (Ed25519, X25519, ChaCha20-Poly1305, AES-GCM, HKDF, HMAC, PBKDF2, ML-KEM-768) and every
HPKE vector file below DIR against the three backends of the crypto seam, and prints one JSON line per file and backend:
{"file","backend","algorithm","tests","passed","failed","skipped","acceptable","reason"}

Algorithms and parameters that Volo does not use are skipped with the reason. Tests marked "acceptable" count neither as
passed nor as failed.

  -h, --help   this text

Exit codes: 0 nothing failed and Ed25519, where present, ran on every backend; 1 otherwise; 2 wrong usage.
`

async function main(args: string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP)
    return 0
  }
  const [directory, ...rest] = args
  if (directory === undefined || directory.startsWith('-') || rest.length > 0) {
    process.stderr.write('vectors: expected one folder; see --help\n')
    return 2
  }
  const info = await stat(directory).catch(() => undefined)
  if (!info?.isDirectory()) return complain(`${directory} is not a folder that can be read`)
  const summary = await runVectorFolder(directory, await allBackends(), report => {
    process.stdout.write(`${JSON.stringify(report)}\n`)
  })
  if (summary.files === 0) return complain(`no .json files in ${directory}`)
  if (summary.failed > 0) return complain(`${summary.failed} failed`)
  if (summary.ed25519Skipped.length > 0) {
    return complain(`Ed25519 was not run completely in ${summary.ed25519Skipped.slice(0, 5).join(', ')}`)
  }
  return 0
}

function complain(message: string): number {
  process.stderr.write(`vectors: ${message}\n`)
  return 1
}

// Node announces that ML-KEM in its WebCrypto is new; standard error is for what went wrong.
process.removeAllListeners('warning')
try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.exitCode = complain((error as Error).message)
}
