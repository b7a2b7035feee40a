/** `volo-peer backup`, `restore` and `export` as people run them, against a real node with its disk. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { NodeProcess, temporaryFolder } from '../../support/network/real-processes/node-process.ts'
import { peerInProcess } from '../../support/peer/run-peer.ts'
import { restoreByTheBook } from '../../support/backup/restore-by-the-book.ts'

const CANARY = 'canary-of-a-backup'
const PASSPHRASE = 'correct horse battery staple'
const folder = temporaryFolder()
const secret = join(folder, 'passphrase')
const wrong = join(folder, 'wrong')
const code = join(folder, 'code')
let node: NodeProcess

async function run(name: string, ...args: string[]) {
  const words = ['--data', join(folder, name), '--node', node.url, '--json', ...args]
  const { code: exit, stdout, stderr } = await peerInProcess(words)
  const lines = stdout.split('\n').filter(line => line !== '')
  return { code: exit, stderr, lines: lines.map(line => JSON.parse(line) as Record<string, unknown>) }
}

const texts = async (name: string): Promise<unknown[]> =>
  (await run(name, 'messages', '@bob')).lines.map(({ text }) => text)

beforeAll(async () => {
  writeFileSync(secret, `${PASSPHRASE}\n`)
  writeFileSync(wrong, 'incorrect\n')
  writeFileSync(join(folder, 'note.txt'), `${CANARY} in a file`)
  node = await NodeProcess.start()
  await Promise.all(['ada', 'bob'].map(name => run(name, 'register', '--username', name)))
  await vi.waitFor(
    async () => expect((await run('ada', 'whoami')).lines[0]!['nameState']).toMatch(/^(reserved|recorded)$/),
    { timeout: 90_000, interval: 300 }
  )
})
afterAll(async () => {
  await node.dispose()
  rmSync(folder, { recursive: true, force: true })
})

it('the history is back in an empty folder: to be read with the passphrase, as a device with the recovery code too', async () => {
  await run('ada', 'send', '@bob', `${CANARY} one`)
  await run('ada', 'send', '@bob', '--file', join(folder, 'note.txt'), '--text', 'two')
  expect(await run('ada', 'recovery', 'make', '--out', code)).toMatchObject({ code: 0 })
  expect((await run('ada', 'backup', 'now')).stderr).toContain('--passphrase-file')
  const made = await run('ada', 'backup', 'now', '--passphrase-file', secret)
  expect(made).toMatchObject({ code: 0, lines: [{ last: { chats: 1, messages: 2, files: 1 } }] })
  expect((await run('ada', 'backup', 'status')).lines).toEqual(made.lines)
  expect(await run('ada', 'backup', 'check')).toMatchObject({ code: 0, lines: [{ ok: true, messages: 2 }] })

  // What the text of the format says is all that it takes.
  const account = String((await run('ada', 'whoami')).lines[0]!['accountId'])
  const byTheBook = await restoreByTheBook(node.url, account, PASSPHRASE)
  expect(byTheBook.map(({ text }) => text)).toEqual([`${CANARY} one`, 'two'])
  expect(byTheBook[1]!.file?.content.toString()).toBe(`${CANARY} in a file`)

  const words = ['restore', '--username', 'ada', '--passphrase-file']
  const refused = await run('reader', ...words, wrong)
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('the passphrase does not open the backup') })
  expect(await run('reader', ...words, secret)).toMatchObject({ code: 0, lines: [{ messages: 2, readOnly: true }] })
  expect(await texts('reader')).toEqual([`${CANARY} one`, 'two'])
  expect((await run('reader', 'send', '@bob', 'x')).code).toBe(1)

  const out = join(folder, 'archive')
  expect(await run('reader', 'export', '--out', out)).toMatchObject({
    code: 0,
    lines: [{ chats: 1, messages: 2, missingFiles: 0 }]
  })
  const chat = JSON.parse(readFileSync(join(out, 'chat-1.json'), 'utf8')) as {
    messages: { files: { path: string }[] }[]
  }
  expect(readFileSync(join(out, chat.messages[1]!.files[0]!.path), 'utf8')).toBe(`${CANARY} in a file`)
  expect(readFileSync(join(out, 'chat-1.html'), 'utf8')).toContain(`${CANARY} one`)

  const device = await run('device', ...words, secret, '--recovery-file', code)
  expect(device).toMatchObject({ code: 0, lines: [{ messages: 2, readOnly: false, username: 'ada' }] })
  expect(await texts('device')).toEqual([`${CANARY} one`, 'two'])
  expect(await run('device', ...words, secret)).toMatchObject({ code: 0, lines: [{ messages: 0 }] })
  for (const text of [CANARY, PASSPHRASE]) {
    expect(holds(node.dataDir, text)).toBe(false)
    expect(node.stdout + node.stderr).not.toContain(text)
  }
  expect(existsSync(join(folder, 'reader', 'objects'))).toBe(true)
})

/** Whether a file below a folder has the text in it. */
function holds(directory: string, text: string): boolean {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).some(name => {
    const path = join(directory, name)
    return statSync(path).isFile() && readFileSync(path).includes(text)
  })
}
