/** `volo-peer recovery` as people run it, against a real node on a devnet; what is looked at on the way runs in this process. */
import { readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import {
  CommandProcess,
  NodeProcess,
  temporaryFolder,
  type CommandResult
} from '../../support/network/real-processes/node-process.ts'
import { peerInProcess, type PeerRun } from '../../support/peer/run-peer.ts'

const folder = temporaryFolder()
let node: NodeProcess

const wordsOf = (name: string, args: string[]): string[] => [
  '--data',
  join(folder, name),
  '--node',
  node.url,
  '--json',
  ...args
]

const run = async (name: string, ...args: string[]) => parsed(await peerInProcess(wordsOf(name, args)))

const runProcess = async (name: string, ...args: string[]) =>
  parsed(await new CommandProcess('peer/cli/main.ts', wordsOf(name, args)).ended)

function parsed({ code, stdout, stderr }: CommandResult | PeerRun) {
  const lines = stdout.split('\n').filter(line => line !== '')
  return { code, stderr, lines: lines.map(line => JSON.parse(line) as Record<string, unknown>) }
}

beforeAll(async () => {
  node = await NodeProcess.start()
})
afterAll(async () => {
  await node.dispose()
  rmSync(folder, { recursive: true, force: true })
})

it('a printed code regains the account in an empty data directory, once, and ends the old device', async () => {
  const file = join(folder, 'code.txt')
  const { lines: registered } = await run('old', 'register', '--username', 'ada')
  await vi.waitFor(
    async () => expect((await run('old', 'whoami')).lines[0]!['nameState']).toMatch(/^(reserved|recorded)$/),
    { timeout: 90_000, interval: 200 }
  )
  expect(await runProcess('old', 'recovery', 'make', '--out', file)).toMatchObject({
    code: 0,
    lines: [{ isSet: true, waiting: null }]
  })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readFileSync(file, 'utf8')).toMatch(/^([0-9A-Z]{4}-){7}[0-9A-Z]{4}$/m)
  // A file is never written over.
  expect(await run('old', 'recovery', 'make', '--out', file)).toMatchObject({ code: 1 })

  const use = (name: string) => runProcess(name, 'recovery', 'use', '--recovery-file', file, '--username', 'ada')
  const regained = await use('new')
  expect(regained).toMatchObject({
    code: 0,
    lines: [{ accountId: registered[0]!['accountId'], username: 'ada', nameState: 'reserved' }]
  })
  expect((await run('new', 'devices')).lines.map(({ isThis, state }) => [isThis, state])).toEqual([
    [false, expect.stringMatching(/^revok/)],
    [true, expect.stringMatching(/^(pending|recorded|settled)$/)]
  ])
  expect((await run('old', 'send', '@ada', 'note')).code).toBe(1)
  const again = await use('third')
  expect(again.code).toBe(1)
  expect(again.stderr).toContain('a code that was used does not work again')
  expect((await run('new', 'recovery', 'use', '--username', 'ada')).code).toBe(2)
  expect(await run('new', 'recovery', 'status')).toMatchObject({ code: 0, lines: [{ isSet: false }] })
})
