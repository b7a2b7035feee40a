import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CommandProcess, root, temporaryFolder } from '../support/network/real-processes/node-process.ts'
import { percentile, report } from './report.ts'

const STARTS = 5
const LOOK_MS = 10
const COLD_START_AT_MOST_MS = 2_000
const KILOBYTE = 1_000

interface WebSizes {
  firstLoadJs: number
  worker: number
}

/** From spawning a built node to people being able to chat, on a folder that is new and on one that is not. */
export async function benchColdStart(): Promise<void> {
  const dataDir = temporaryFolder()
  try {
    const first = await startOnce(dataDir)
    const again: number[] = []
    for (let i = 0; i < STARTS; i++) again.push(await startOnce(dataDir))
    report('node-first-start', 'ms', first, { note: 'makes keys, stores and a ledger' })
    report('node-cold-start', 'ms', percentile(again, 0.5), { target: { atMost: COLD_START_AT_MOST_MS } })
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** @returns milliseconds until /readyz says 200. */
async function startOnce(dataDir: string): Promise<number> {
  const begin = performance.now()
  const node = new CommandProcess('node/main.ts', ['start', '--data', dataDir, '--port', '0', '--admin-port', '0'])
  const url = (await node.printed(/ready at (http:\S+)/))[1]!
  while (!(await isReady(url))) await sleep(LOOK_MS)
  const took = performance.now() - begin
  await node.stop()
  return took
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/readyz`).catch(() => undefined)
  await answer?.body?.cancel()
  return answer?.ok ?? false
}

/** What a browser fetches before the first screen, and for the worker after it. */
export function benchWebSizes(): void {
  const output = execFileSync(process.execPath, [join(root, 'scripts/web-sizes.js'), join(root, 'dist/web')], {
    encoding: 'utf8'
  })
  const sizes = JSON.parse(output) as WebSizes
  report('web-first-load-js', 'kB gzip', sizes.firstLoadJs / KILOBYTE, { target: { atMost: 90 } })
  report('web-worker-js', 'kB gzip', sizes.worker / KILOBYTE, { target: { atMost: 280 } })
}
