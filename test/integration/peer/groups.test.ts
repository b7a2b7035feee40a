/** The contract of `volo-peer group` that scripts rely on: three people, a real node on a devnet, a process for each command. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  CommandProcess,
  NodeProcess,
  temporaryFolder,
  type CommandResult
} from '../../support/network/real-processes/node-process.ts'
import { peerInProcess, type PeerRun } from '../../support/peer/run-peer.ts'
import { eventually } from '../../support/wait-for.ts'

const folder = temporaryFolder()
let node: NodeProcess

type Line = Record<string, unknown>

function parsed({ code, stdout, stderr }: CommandResult | PeerRun): {
  code: number | null
  lines: Line[]
  stderr: string
} {
  const lines = stdout.split('\n').filter(line => line !== '')
  return { code, lines: lines.map(line => JSON.parse(line) as Line), stderr }
}

const args = (name: string, words: string[]): string[] => ['--data', join(folder, name), ...words, '--json']

/** Most commands run in this process: a process for each takes longer than what they do. */
const run = async (name: string, ...words: string[]) => parsed(await peerInProcess(args(name, words)))
const runProcess = async (name: string, ...words: string[]) =>
  parsed(await new CommandProcess('peer/cli/main.ts', args(name, words)).ended)

beforeAll(async () => {
  node = await NodeProcess.start()
  await Promise.all(['ada', 'bob', 'cleo'].map(name => run(name, '--node', node.url, 'register', '--username', name)))
})
afterAll(async () => {
  await node.dispose()
  rmSync(folder, { recursive: true, force: true })
})

it('three people make a group, chat, and see who is in it', async () => {
  const created = await runProcess('ada', 'group', 'create', 'Climbing club', '@bob', '@cleo')
  expect(created).toMatchObject({ code: 0, stderr: '', lines: [{ name: 'Climbing club', members: 3, state: 'sent' }] })
  const group = `group:${created.lines[0]!.group as string}`
  expect(await run('ada', 'send', group, 'hello all')).toMatchObject({ code: 0, lines: [{ conversation: group }] })
  // Ada is a stranger to both: what she writes comes as a request.
  const said = { conversation: group, from: 'ada', text: 'hello all', request: true }
  expect(await runProcess('bob', 'listen', '--count', '1', '--timeout', '60')).toMatchObject({ code: 0, lines: [said] })
  // Her first command learns of the group, though its maker has to be looked up.
  expect(await run('cleo', 'group', 'rename', group, 'Mine')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('only an admin') as string
  })
  // Everybody is named, also who is new here.
  const read = (await run('cleo', 'messages', group)).lines
  expect(read.map(({ from, text }) => [from, text])).toEqual([
    ['ada', 'ada created the group "Climbing club" with bob and you.'],
    ['ada', 'hello all']
  ])
  expect(await run('cleo', 'listen', '--count', '1', '--timeout', '60')).toMatchObject({ code: 0, lines: [said] })
  expect(await run('bob', 'group', 'list')).toMatchObject({ lines: [{ conversation: group, request: true }] })
  expect(await run('bob', 'send', group, 'hello from bob')).toMatchObject({ code: 0, lines: [{ state: 'sent' }] })
  const answer = { conversation: group, from: 'bob', text: 'hello from bob', request: false }
  expect(await run('ada', 'listen', '--count', '1', '--timeout', '60')).toMatchObject({ code: 0, lines: [answer] })
  const members = (await run('cleo', 'group', 'members', group)).lines
  expect(members.map(({ username, role }) => `${username as string} ${role as string}`).sort()).toEqual([
    'ada admin',
    'bob member',
    'cleo member'
  ])
  await changes(group)
})

/** What admins do, and others may not. */
async function changes(group: string): Promise<void> {
  const refused = await run('bob', 'group', 'remove', group, '@cleo')
  expect(refused).toMatchObject({ code: 1, lines: [] })
  expect(refused.stderr).toContain('only an admin')
  expect(await run('ada', 'group', 'rename', group, 'Boulder club')).toMatchObject({ code: 0 })
  expect(await run('ada', 'group', 'promote', group, '@bob')).toMatchObject({ code: 0 })
  expect(await run('ada', 'group', 'remove', group, '@cleo')).toMatchObject({ code: 0, lines: [{ members: 2 }] })
  // A command first takes in what others did meanwhile.
  expect(await run('bob', 'group', 'rename', group, 'Bouldering')).toMatchObject({
    code: 0,
    lines: [{ name: 'Bouldering', role: 'admin', members: 2 }]
  })
  expect(await run('ada', 'group', 'leave', group)).toMatchObject({ code: 0 })
  const gone = await run('ada', 'send', group, 'am I still here?')
  expect(gone.code).toBe(1)
  expect(gone.stderr).toContain('not in the group')
  const link = (await run('bob', 'group', 'link', group)).lines[0]!.link as string
  expect(await run('cleo', 'group', 'join', link)).toMatchObject({ code: 0 })
  // She was taken out before: the link does not let her in by itself.
  const hasAsked = async () =>
    (await run('bob', 'group', 'requests', group)).lines.some(({ username }) => username === 'cleo')
  await eventually(hasAsked, 'bob is asked')
  expect(await run('bob', 'group', 'approve', group, '@cleo')).toMatchObject({ code: 0, lines: [{ members: 2 }] })
}
