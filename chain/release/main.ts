/** `npm run release`: from a built web app to a RELEASE record that everyone can compare a node's copy with. */
import { toHex } from '../../protocol/bytes.ts'
import { createNodeCrypto } from '../../protocol/crypto/backends/node-crypto.ts'
import { ChainError } from '../errors.ts'
import { VerifyError } from '../verify/errors.ts'
import { readReleaseRequest, RELEASE_HELP, type ReleaseRequest } from './arguments.ts'
import { readBuiltApp } from './built-app.ts'
import { ReleaseError } from '../verify/manifest-errors.ts'
import { createReleaseKey, readReleaseKey } from './release-key.ts'

const EXIT_FAILED = 1
const EXIT_USAGE = 2

const crypto = createNodeCrypto()

type Result = object

async function key(request: Extract<ReleaseRequest, { kind: 'key gen' | 'key show' }>): Promise<Result> {
  const open = request.kind === 'key gen' ? createReleaseKey : readReleaseKey
  return { releaseKey: toHex((await open(crypto, request.key)).publicKey) }
}

async function manifest(web: string): Promise<Result> {
  const { manifest, manifestHash } = await readBuiltApp(web)
  return { version: manifest.version, files: manifest.files.length, manifestHash: toHex(manifestHash) }
}

async function run(request: Exclude<ReleaseRequest, { kind: 'help' | 'usage' }>): Promise<Result> {
  if (request.kind === 'manifest') return manifest(request.web)
  if (request.kind !== 'publish') return key(request)
  // The client of Blockfrost and the serialization library are large; the other commands need neither.
  const { publish } = await import('./publish-command.ts')
  return publish(crypto, request)
}

function reasonOf(error: unknown): string | undefined {
  if (error instanceof ReleaseError || error instanceof ChainError || error instanceof VerifyError) return error.message
  const { code, path, name } = error as NodeJS.ErrnoException
  if (code !== undefined && path !== undefined) return `${path} cannot be used (${code})`
  if (name === 'TimeoutError' || name === 'AbortError') return 'not done in time'
  return error instanceof SyntaxError ? 'the network file is not JSON' : undefined
}

async function main(): Promise<void> {
  const request = readReleaseRequest(process.argv.slice(2))
  if (request.kind === 'help') return console.log(RELEASE_HELP)
  if (request.kind === 'usage') {
    console.error(`release: ${request.problem}. See --help.`)
    process.exitCode = EXIT_USAGE
    return
  }
  try {
    const result = await run(request)
    if (request.json) console.log(JSON.stringify(result))
    else for (const [name, value] of Object.entries(result)) console.log(`${name}: ${String(value)}`)
  } catch (error) {
    const reason = reasonOf(error)
    if (reason === undefined) throw error
    console.error(`release: ${reason}.`)
    process.exitCode = EXIT_FAILED
  }
}

await main()
