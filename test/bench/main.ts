/**
 * `npm run bench [name …]`: figures as JSON lines on standard output, each beside its baseline measured in the same run.
 */
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { benchDirectoryRestore } from './directory-restore.ts'
import { benchColdStart, benchWebSizes } from './cold-start.ts'
import { benchDeliveries } from './deliveries.ts'
import { benchDirectory } from './directory.ts'
import { benchDurable } from './durable.ts'
import { benchFiles } from './files.ts'
import { benchHistoryTransfer } from './history-transfer.ts'
import { benchLatency } from './latency.ts'
import { benchLookup, DEFAULT_ACCOUNTS } from './lookup.ts'
import { benchMemory } from './memory.ts'
import { benchRecordsPerAda } from './records-per-ada.ts'
import { benchSearch } from './search.ts'
import { benchSessions } from './sessions.ts'

/** Settings of a run. */
interface Settings {
  accounts: number
}

const BENCHES: Record<string, { summary: string; run: (settings: Settings) => Promise<void> | void }> = {
  sessions: { summary: 'opening sessions, encrypting and decrypting, beside libsignal', run: benchSessions },
  deliveries: { summary: 'what a message costs as the devices of a conversation grow', run: benchDeliveries },
  latency: { summary: 'from sending to showing a message, beside a raw ws relay', run: benchLatency },
  durable: { summary: 'messages with signed receipts per second, beside bare LevelDB', run: benchDurable },
  memory: { summary: 'what a client that only waits costs a node', run: benchMemory },
  'directory-restore': {
    summary: 'a start with a log of records: every signature checked, and taken from the mark of an earlier run',
    run: benchDirectoryRestore
  },
  'cold-start': { summary: 'from spawning a node to people being able to chat', run: benchColdStart },
  web: { summary: 'what a browser fetches', run: benchWebSizes },
  directory: {
    summary: 'taking in records and checking proofs, beside the bare signature checks',
    run: benchDirectory
  },
  'records-per-ada': { summary: 'records that an ADA pays for, single and batched', run: benchRecordsPerAda },
  search: { summary: 'finding words among 100,000 messages, beside a scan of plain texts', run: benchSearch },
  files: { summary: 'files and backups through a node, beside the rate of encryption and hash', run: benchFiles },
  'history-transfer': {
    summary: 'all messages of one device to a new one, beside the store alone, and what it costs in memory',
    run: () => benchHistoryTransfer()
  },
  lookup: { summary: 'names and proofs among many accounts, beside Map and LevelDB', run: benchLookup }
}

const USAGE = `Usage: npm run bench [-- name … --accounts N]

Prints one JSON object a line: metric, value, unit, peer, peerValue, ratio, target, met, note.
Peers are installed into .cache/bench-peers; one that is absent is reported as not run.

${Object.entries(BENCHES)
  .map(([name, { summary }]) => `  ${name.padEnd(15)} ${summary}`)
  .join('\n')}

  --accounts N    accounts in which lookup looks: ${DEFAULT_ACCOUNTS}; 1000000 takes minutes and a GB of memory
`

interface Arguments {
  help: boolean
  chosen: string[]
  accounts: number
}

/** @returns undefined for what is not understood. */
function parseArguments(): Arguments | undefined {
  try {
    const { values, positionals } = parseArgs({
      options: { help: { type: 'boolean' }, accounts: { type: 'string' } },
      allowPositionals: true
    })
    const accounts = Number(values.accounts ?? DEFAULT_ACCOUNTS)
    const isKnown = positionals.every(name => name in BENCHES) && Number.isSafeInteger(accounts) && accounts > 0
    return isKnown ? { help: values.help === true, chosen: positionals, accounts } : undefined
  } catch {
    return undefined
  }
}

// As the commands do.
setFlagsFromString('--external-memory-accounted-in-global-limit')

const parsed = parseArguments()
if (parsed === undefined) {
  console.error(USAGE)
  process.exitCode = 2
} else if (parsed.help) {
  console.log(USAGE)
} else {
  const { accounts } = parsed
  for (const name of parsed.chosen.length > 0 ? parsed.chosen : Object.keys(BENCHES)) {
    await BENCHES[name]!.run({ accounts })
  }
}
