/**
 * `npm run bench [name …]`: figures as JSON lines on standard output, each beside its baseline measured in the same run.
 */
import { benchColdStart, benchWebSizes } from './cold-start.ts'
import { benchDirectory } from './directory.ts'
import { benchDurable } from './durable.ts'
import { benchLatency } from './latency.ts'
import { benchMemory } from './memory.ts'
import { benchSessions } from './sessions.ts'

const BENCHES: Record<string, { summary: string; run: () => Promise<void> | void }> = {
  sessions: { summary: 'opening sessions, encrypting and decrypting, beside libsignal', run: benchSessions },
  latency: { summary: 'from sending to showing a message, beside a raw ws relay', run: benchLatency },
  durable: { summary: 'messages with signed receipts per second, beside bare LevelDB', run: benchDurable },
  memory: { summary: 'what a client that only waits costs a node', run: benchMemory },
  'cold-start': { summary: 'from spawning a node to people being able to chat', run: benchColdStart },
  web: { summary: 'what a browser fetches', run: benchWebSizes },
  directory: { summary: 'taking in records and checking proofs, beside the bare signature checks', run: benchDirectory }
}

const USAGE = `Usage: npm run bench [-- name …]

Prints one JSON object a line: metric, value, unit, peer, peerValue, ratio, target, met, note.
Peers are installed into .cache/bench-peers; one that is absent is reported as not run.

${Object.entries(BENCHES)
  .map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`)
  .join('\n')}
`

const chosen = process.argv.slice(2)
if (chosen.includes('--help')) {
  console.log(USAGE)
} else if (chosen.some(name => !(name in BENCHES))) {
  console.error(USAGE)
  process.exitCode = 2
} else {
  for (const name of chosen.length > 0 ? chosen : Object.keys(BENCHES)) await BENCHES[name]!.run()
}
