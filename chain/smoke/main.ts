/** `npm run smoke:preprod`: the whole cycle against a real network, or plain words that it was not run. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChainSource } from '../source/blockfrost-source.ts'
import { DEVNET_LABEL } from '../devnet/devnet.ts'
import { startDevnet } from '../devnet/start-devnet.ts'
import { ChainError } from '../errors.ts'
import { readSmokeRequest, SMOKE_HELP, type SmokeSettings } from './settings.ts'
import { NotRunError, runSmokeCycle, SmokeError, type SmokeStep } from './smoke-cycle.ts'

const EXIT_FAILED = 1
const EXIT_USAGE = 2
const EXIT_NOT_RUN = 3
/** Hosted sources count requests. */
const LOOK_MS = 10_000
const DEVNET_LOOK_MS = 100
const DEVNET_BLOCK_MS = 400

function printer(json: boolean): (step: SmokeStep) => void {
  return step => console.log(json ? JSON.stringify(step) : `✓ ${step.step.padEnd(20)}${step.text} (${step.seconds} s)`)
}

function notRun(reason: string, json: boolean): void {
  process.exitCode = EXIT_NOT_RUN
  if (json) console.log(JSON.stringify({ result: 'not-run', reason }))
  else console.log(`NOT RUN: ${reason}.`)
}

async function run(settings: SmokeSettings): Promise<void> {
  const { target, json, timeoutMs } = settings
  const folder = await mkdtemp(join(tmpdir(), 'volo-smoke-'))
  const isDevnet = target.kind === 'devnet'
  const signal = AbortSignal.timeout(timeoutMs)
  const devnet = isDevnet ? await startDevnet({ dataDir: join(folder, 'devnet'), blockMs: DEVNET_BLOCK_MS }) : undefined
  try {
    if (isDevnet && !json) console.log(`This is no real network: ${DEVNET_LABEL}.`)
    const url = target.kind === 'devnet' ? devnet!.url : target.url
    const projectId = target.kind === 'devnet' ? undefined : target.projectId
    const source = createChainSource({ url, devnet: isDevnet, ...(projectId !== undefined && { projectId }) })
    await runSmokeCycle(
      { source, url, folder, onStep: printer(json), signal },
      {
        // A devnet of one run has no use for a wallet that stays.
        walletKeyFile: isDevnet ? join(folder, 'wallet.key') : settings.walletKeyFile,
        settled: settings.settled,
        projectId,
        lookMs: isDevnet ? DEVNET_LOOK_MS : LOOK_MS
      }
    )
    console.log(json ? JSON.stringify({ result: 'passed', devnet: isDevnet }) : 'All of it works.')
  } catch (error) {
    // Whatever was under way says so in its own words.
    if (!signal.aborted || error instanceof SmokeError) throw error
    throw new SmokeError(`not done within ${timeoutMs / 60_000} minutes`, { cause: error })
  } finally {
    await devnet?.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function main(): Promise<void> {
  const request = readSmokeRequest(process.argv.slice(2))
  if (request.kind === 'help') return console.log(SMOKE_HELP)
  if (request.kind === 'usage') {
    console.error(`smoke: ${request.problem}. See --help.`)
    process.exitCode = EXIT_USAGE
    return
  }
  if (request.kind === 'not-run') return notRun(request.reason, request.json)
  const { json } = request.settings
  try {
    await run(request.settings)
  } catch (error) {
    if (error instanceof NotRunError) return notRun(error.message, json)
    if (!(error instanceof SmokeError || error instanceof ChainError)) throw error
    process.exitCode = EXIT_FAILED
    if (json) console.log(JSON.stringify({ result: 'failed', reason: error.message }))
    else console.log(`FAILED: ${error.message}`)
  }
}

await main()
