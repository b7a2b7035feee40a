/** Nothing of files and backups is readable on the wire, at a node or in its log: looked for in all that went by, and all that is left. */
import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { canariesBelow, canariesIn, formsOf } from '../../support/canaries.ts'
import { NodeProcess, temporaryFolder } from '../../support/network/real-processes/node-process.ts'
import { WireTap } from '../../support/network/wire-tap.ts'
import { peerInProcess } from '../../support/peer/run-peer.ts'

const TEXT = 'canary>text?of a message'
const NAME = 'canary-in-a-file-name'
const CONTENT = 'canary~in~the~content~of~a~file'
const CAPTION = 'canary & caption'
const NOTE = 'canary-note-to-self'
const PASSPHRASE = 'canary staple battery horse'
const CANARIES = [TEXT, NAME, CONTENT, CAPTION, NOTE, PASSPHRASE]

const folder = temporaryFolder()
let tap: WireTap
let node: NodeProcess | undefined

async function run(name: string, ...args: string[]) {
  const words = ['--data', join(folder, name), '--node', tap.url, '--json', ...args]
  const { code, stdout, stderr } = await peerInProcess(words)
  const lines = stdout.split('\n').filter(line => line !== '')
  return { code, stderr, lines: lines.map(line => JSON.parse(line) as Record<string, unknown>) }
}

beforeAll(async () => {
  tap = await WireTap.start()
  node = await NodeProcess.start({
    // Clients learn the address of the tap from the node: there is no way past it.
    flags: ['--port', '0', '--admin-port', '0', '--public-url', tap.url, '--log-level', 'debug']
  })
  tap.leadTo(node.url)
  await Promise.all(['ada', 'bob'].map(name => run(name, 'register', '--username', name)))
  await vi.waitFor(
    async () => expect((await run('ada', 'whoami')).lines[0]!['nameState']).toMatch(/^(reserved|recorded)$/),
    { timeout: 90_000, interval: 300 }
  )
})
afterAll(async () => {
  await tap.stop()
  await node?.dispose()
  rmSync(folder, { recursive: true, force: true })
})

it('finds a canary in each of its forms, wherever it stands', () => {
  for (const text of CANARIES) {
    for (const { form, bytes } of formsOf(text)) {
      const hidden = Buffer.concat([randomBytes(50), bytes, randomBytes(50)])
      expect(canariesIn('', hidden, [text]).join()).toContain(form)
    }
    for (const before of ['', 'a', 'ab']) {
      const encoded = Buffer.from(Buffer.from(`${before}${text} and more`).toString('base64'))
      expect(canariesIn('', encoded, [text])).not.toEqual([])
    }
  }
})

it('messages, files and backups leave nothing that can be read', async () => {
  const source = join(folder, `${NAME}.txt`)
  const secret = join(folder, 'passphrase')
  writeFileSync(secret, PASSPHRASE)
  // Longer than one part, and the canary in each of its blocks.
  writeFileSync(source, `${CONTENT} `.repeat(60_000))
  expect(await run('ada', 'send', '@bob', TEXT)).toMatchObject({ code: 0 })
  expect(await run('ada', 'send', '@bob', '--file', source, '--text', CAPTION)).toMatchObject({ code: 0 })
  expect(await run('ada', 'send', '@ada', NOTE)).toMatchObject({ code: 0 })
  const { lines } = await run('bob', 'listen', '--count', '2', '--timeout', '60')
  const received = lines.find(({ kind }) => kind === 'file')!
  expect(received).toMatchObject({ text: CAPTION, files: [{ name: `${NAME}.txt` }] })
  expect(await run('bob', 'save', String(received['id']), '--out', join(folder, 'out'))).toMatchObject({ code: 0 })
  expect(await run('ada', 'backup', 'now', '--passphrase-file', secret)).toMatchObject({ code: 0 })
  expect(await run('ada', 'backup', 'check')).toMatchObject({ code: 0, lines: [{ ok: true }] })
  const restored = await run('reader', 'restore', '--username', 'ada', '--passphrase-file', secret)
  expect(restored).toMatchObject({ code: 0, lines: [{ messages: 3 }] })

  const wire = tap.captured()
  // All of it went by: requests for objects and the head, the file itself, and connections of peers.
  const seen = Buffer.concat(wire)
  for (const known of ['PUT /v1/objects/', 'GET /v1/objects/', '/v1/backups/', 'Upgrade: websocket']) {
    expect(seen.includes(known), known).toBe(true)
  }
  expect(seen.length).toBeGreaterThan(2 * 60_000 * CONTENT.length)
  // Nothing is compressed, which would hide a text from this test.
  expect(seen.includes('content-encoding: gzip')).toBe(false)
  expect(wire.flatMap((bytes, i) => canariesIn(`stream ${i}`, bytes, CANARIES))).toEqual([])
  expect(canariesBelow(node!.dataDir, CANARIES)).toEqual([])
  expect(canariesIn('the log', Buffer.from(node!.stdout + node!.stderr), CANARIES)).toEqual([])
  for (const name of ['ada', 'bob', 'reader']) expect(canariesBelow(join(folder, name), CANARIES)).toEqual([])
})
