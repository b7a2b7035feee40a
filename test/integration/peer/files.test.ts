/** `volo-peer send --file` and `save` as people run them, against a real node with its disk. */
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { NodeProcess, temporaryFolder, type CommandResult } from '../../support/network/real-processes/node-process.ts'
import { peerInProcess, type PeerRun } from '../../support/peer/run-peer.ts'

const CANARY = 'canary-in-a-file-name-and-its-content'
const folder = temporaryFolder()
let node: NodeProcess

const run = async (name: string, ...args: string[]) =>
  parsed(await peerInProcess(['--data', join(folder, name), '--node', node.url, '--json', ...args]))

function parsed({ code, stdout, stderr }: CommandResult | PeerRun) {
  const lines = stdout.split('\n').filter(line => line !== '')
  return { code, stderr, lines: lines.map(line => JSON.parse(line) as Record<string, unknown>) }
}

beforeAll(async () => {
  node = await NodeProcess.start()
  await Promise.all(['ada', 'bob'].map(name => run(name, 'register', '--username', name)))
})
afterAll(async () => {
  await node.dispose()
  rmSync(folder, { recursive: true, force: true })
})

it('a file is sent, listed, and saved under its own name, beside one that is there already', async () => {
  const content = Buffer.concat([Buffer.from(`%PDF-1.7 ${CANARY} `.repeat(40)), randomBytes(3 * 1024 * 1024)])
  const source = join(folder, `${CANARY}.pdf`)
  writeFileSync(source, content)
  const files = [{ name: `${CANARY}.pdf`, bytes: content.length, type: 'application/pdf' }]

  const sent = await run('ada', 'send', '@bob', '--file', source, '--text', 'for you')
  expect(sent).toMatchObject({ code: 0, lines: [{ state: expect.stringMatching(/^(sent|delivered)$/), files }] })

  const { lines } = await run('bob', 'listen', '--count', '1', '--timeout', '20')
  expect(lines).toMatchObject([{ kind: 'file', text: 'for you', files }])
  const id = String(lines[0]!['id'])
  expect((await run('bob', 'messages', '@ada')).lines).toMatchObject([{ id, files }])

  const out = join(folder, 'made', 'out')
  const saved = [await run('bob', 'save', id, '--out', out), await run('bob', 'save', id, '--out', out)]
  expect(saved.map(({ code, lines: [line] }) => [code, line!['path']])).toEqual([
    [0, join(out, `${CANARY}.pdf`)],
    [0, join(out, `${CANARY} (1).pdf`)]
  ])
  for (const name of readdirSync(out)) expect(readFileSync(join(out, name)).equals(content)).toBe(true)
  expect(readdirSync(out)).toHaveLength(2)

  // What the node, and the folders of both, hold of it is encrypted.
  for (const place of [node.dataDir, join(folder, 'ada'), join(folder, 'bob')]) expect(holds(place, CANARY)).toBe(false)
  expect(node.stdout + node.stderr).not.toContain(CANARY)
})

it('what cannot be sent or saved says so, and leaves nothing', async () => {
  expect(await run('ada', 'send', '@bob', '--file', join(folder, 'missing'))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no such file or folder, ENOENT')
  })
  expect((await run('ada', 'send', '@bob', '--file', folder)).stderr).toContain('it is a folder')
  const unknown = await run('bob', 'save', '00'.repeat(32), '--out', join(folder, 'none'))
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('no such message') })
  expect(existsSync(join(folder, 'none'))).toBe(false)
  const id = String((await run('bob', 'messages', '@ada')).lines[0]!['id'])
  const taken = join(folder, 'taken')
  writeFileSync(taken, '')
  expect(await run('bob', 'save', id, '--out', taken)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('it is not a folder')
  })
  // The system takes no folder there, and does not say so to Node's own recursive mkdir.
  expect((await run('bob', 'save', id, '--out', '/proc/none/out')).code).toBe(1)
  expect((await run('bob', 'save', 'abc', '--out', folder)).code).toBe(2)
  expect((await run('ada', 'send', '@bob')).code).toBe(2)
})

/** Whether a file below a folder has the text in it, or in its name. */
function holds(directory: string, text: string): boolean {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).some(name => {
    const path = join(directory, name)
    return name.includes(text) || (statSync(path).isFile() && readFileSync(path).includes(text))
  })
}
