/** The devnet as a process of its own: one JSON line with its URL once it answers, ended by SIGTERM or SIGINT. */
import { parseArgs } from 'node:util'
import { DEFAULT_BLOCK_MS, DEVNET_LABEL } from './devnet.ts'
import { StoreError } from '../store/store-error.ts'
import { startDevnet } from './start-devnet.ts'

const HELP = `volo devnet: a ${DEVNET_LABEL} behind Blockfrost's API

  --data DIR      folder of the chain (required)
  --port N        loopback port, 0 for any free one (default 0)
  --block-ms N    milliseconds between blocks, 0 for blocks on demand only (default ${DEFAULT_BLOCK_MS})
  --help          this text`

const EXIT_FAILED = 1
const EXIT_USAGE = 2

class UsageError extends Error {}

function numberOf(text: string, name: string, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN
  if (!(value <= max)) throw new UsageError(`--${name} takes a number from 0 to ${max}, got "${text}"`)
  return value
}

function readArguments(): { dataDir: string; port: number; blockMs: number } | undefined {
  const options = {
    data: { type: 'string' },
    port: { type: 'string', default: '0' },
    'block-ms': { type: 'string', default: String(DEFAULT_BLOCK_MS) },
    help: { type: 'boolean', default: false }
  } as const
  let values
  try {
    values = parseArgs({ options }).values
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
  if (values.help) return undefined
  if (!values.data) throw new UsageError('--data DIR is required')
  const port = numberOf(values.port, 'port', 65_535)
  return { dataDir: values.data, port, blockMs: numberOf(values['block-ms'], 'block-ms', 3_600_000) }
}

async function main(): Promise<void> {
  const settings = readArguments()
  if (!settings) return console.log(HELP)
  const running = await startDevnet(settings)
  let stopping: Promise<void> | undefined
  const stop = (): void => {
    stopping ??= running.stop()
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  // Started by another process of ours: end with it, however it ended.
  if (process.channel) {
    process.once('disconnect', stop)
    process.channel.unref()
  }
  console.log(JSON.stringify({ url: running.url, label: DEVNET_LABEL }))
}

try {
  await main()
} catch (error) {
  const { message, code, cause } = error as Error & { code?: string }
  const reason =
    code === 'EADDRINUSE'
      ? 'the port is taken: choose another with --port'
      : error instanceof StoreError
        ? message
        : ((cause as Error | undefined)?.message ?? message)
  console.error(`volo devnet: ${reason}`)
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED
}
