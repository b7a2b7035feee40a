/**
 * `volo-peer` as people run it, against a real node on a devnet. What a process of its own promises (exit codes, streams,
 * the lock of a folder, modes of files) is shown with one; the other commands run in this process, which takes a tenth of the time.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { peerInProcess, type PeerRun } from '../../support/peer/run-peer.ts'
import {
  CommandProcess,
  NodeProcess,
  temporaryFolder,
  type CommandResult
} from '../../support/network/real-processes/node-process.ts'

const folder = temporaryFolder()
let node: NodeProcess

const dataOf = (name: string): string => join(folder, name)

function start(name: string, args: string[], env: Record<string, string> = {}): CommandProcess {
  return new CommandProcess('peer/cli/main.ts', ['--data', dataOf(name), ...args], { env })
}

const runProcess = (name: string, args: string[], env?: Record<string, string>): Promise<CommandResult> =>
  start(name, args, env).ended

const run = (name: string, args: string[], env?: Record<string, string>): Promise<PeerRun> =>
  peerInProcess(['--data', dataOf(name), ...args], env)

/** Runs with `--json`: every line of stdout has to be an object. */
const json = async (name: string, ...args: string[]): Promise<Printed> => parsed(await run(name, [...args, '--json']))

const jsonProcess = async (name: string, ...args: string[]): Promise<Printed> =>
  parsed(await runProcess(name, [...args, '--json']))

interface Printed {
  code: number | null
  lines: Record<string, unknown>[]
  stderr: string
}

function parsed({ code, stdout, stderr }: CommandResult | PeerRun): Printed {
  const lines = stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Record<string, unknown>)
  return { code, lines, stderr }
}

const ON_RECORD = expect.stringMatching(/^(reserved|recorded)$/) as string
/** A command tells how things stand after 3 s at the latest, which is not enough on a machine with much else to do. */
const POLL = { timeout: 90_000, interval: 100 }

const register = (name: string) => json(name, '--node', node.url, 'register', '--username', name)

beforeAll(async () => {
  node = await NodeProcess.start()
})
afterAll(async () => {
  await node.dispose()
  rmSync(folder, { recursive: true, force: true })
})

describe('two people on the command line', () => {
  beforeAll(async () => {
    for (const name of ['ada', 'bob']) {
      const { code, lines, stderr } = await register(name)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(lines).toEqual([expect.objectContaining({ username: name, findable: expect.any(Boolean) })])
      // `register` waits for the name for 12 s only; what is left to do is done by the next command.
      const isOnRecord = { lines: [{ nameState: ON_RECORD }] }
      await vi.waitFor(async () => expect(await json(name, 'whoami')).toMatchObject(isOnRecord), POLL)
    }
  })

  it('chat both ways; what was sent while the other was away is there when they listen', async () => {
    const sent = await jsonProcess('ada', 'send', '@bob', 'Hello Bob')
    expect(sent.code).toBe(0)
    expect(sent.lines[0]).toMatchObject({ to: 'bob', text: 'Hello Bob', state: 'sent' })
    expect(sent.lines[0]!['receipts']).toEqual([
      expect.objectContaining({ epoch: 0, signature: expect.stringMatching(/^[0-9a-f]{128}$/) })
    ])
    const heard = await jsonProcess('bob', 'listen', '--count', '1', '--timeout', '60')
    expect(heard.code).toBe(0)
    expect(heard.lines).toEqual([
      expect.objectContaining({
        id: sent.lines[0]!['id'],
        conversation: sent.lines[0]!['conversation'],
        from: 'ada',
        fromAccount: expect.stringMatching(/^[0-9a-f]{64}$/),
        text: 'Hello Bob',
        sentAt: sent.lines[0]!['sentAt']
      })
    ])
    // Those who know the account need no name.
    const back = await jsonProcess('bob', 'send', String(heard.lines[0]!['fromAccount']), 'Hello Ada')
    expect(back.code).toBe(0)
    expect((await jsonProcess('ada', 'listen', '--count', '1', '--timeout', '60')).lines).toEqual([
      expect.objectContaining({ from: 'bob', text: 'Hello Ada' })
    ])
  })

  it('a message is heard once, and both keep it', async () => {
    const heard = await json('bob', 'listen', '--timeout', '1')
    expect(heard).toMatchObject({ code: 0, lines: [] })
    const texts = async (name: string, other: string) =>
      (await json(name, 'messages', other)).lines.map(({ text, mine }) => [text, mine])
    expect(await texts('ada', '@bob')).toEqual([
      ['Hello Bob', true],
      ['Hello Ada', false]
    ])
    expect(await texts('bob', '@ada')).toEqual([
      ['Hello Bob', false],
      ['Hello Ada', true]
    ])
  })

  it('no real node lets in a machine whose clock is 3 hours ahead: it says so, and gets in once the clock is right', async () => {
    const rightTime = Date.now
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => rightTime() + 3 * 3_600_000)
    try {
      const sent = await json('ada', 'send', '@bob', 'from another time', '--timeout', '2')
      expect(sent).toMatchObject({ code: 3, lines: [{ state: 'waiting' }] })
      // On a busy machine the time of a command may be over before a node has answered.
      await vi.waitFor(async () => {
        const { code, stderr } = await json('ada', 'person', '@nobody', '--timeout', '5')
        expect(code).not.toBe(0)
        expect(stderr).toContain('the clock of this machine is wrong')
      }, POLL)
      const said = { lines: [{ problem: { code: 'clock-wrong' } }] }
      await vi.waitFor(async () => expect(await json('ada', 'status')).toMatchObject(said), POLL)
      const listening = json('ada', 'listen', '--count', '1', '--timeout', '110')
      clock.mockRestore()
      expect((await json('bob', 'send', '@ada', 'all right')).code).toBe(0)
      expect(await listening).toMatchObject({ code: 0, lines: [{ text: 'all right' }] })
      expect((await json('bob', 'listen', '--count', '1', '--timeout', '60')).lines).toMatchObject([
        { text: 'from another time' }
      ])
    } finally {
      clock.mockRestore()
    }
  })

  it('messages arrive while somebody listens, in order', async () => {
    const listener = start('bob', ['listen', '--count', '3', '--timeout', '110', '--json'])
    for (const text of ['one', 'two', 'three']) expect((await json('ada', 'send', '@bob', text)).code).toBe(0)
    const { code, stdout } = await listener.ended
    expect(code).toBe(0)
    expect(
      stdout
        .trim()
        .split('\n')
        .map(line => (JSON.parse(line) as { text: string }).text)
    ).toEqual(['one', 'two', 'three'])
  })

  it('a command ends quietly when the reader of its output has enough', async () => {
    const command = start('ada', ['messages', '@bob'])
    command.child.stdout!.destroy()
    expect(await command.ended).toMatchObject({ code: 0, stderr: '' })
  })

  it('what people write reaches the terminal as it is, and what drives a terminal is shown', async () => {
    const text = '👨‍👩‍👧 نمی‌خواهم \u001b[2J\u202Eback'
    expect((await json('ada', 'send', '@bob', text)).lines[0]).toMatchObject({ text })
    const { stdout } = await run('ada', ['messages', '@bob'])
    expect(stdout).toContain('👨‍👩‍👧 نمی‌خواهم \\u{1b}[2J\\u{202e}back')
    expect((await json('bob', 'listen', '--count', '1', '--timeout', '60')).lines).toMatchObject([{ text }])
  })

  it('a message that came during another command is still heard', async () => {
    expect((await json('ada', 'send', '@bob', 'meanwhile')).code).toBe(0)
    // After what is on the device, `messages` prints what has just come.
    const newest = async () => (await json('bob', 'messages', '@ada')).lines.at(-1)
    await expect.poll(newest, POLL).toMatchObject({ text: 'meanwhile' })
    expect((await json('bob', 'listen', '--count', '1', '--timeout', '60')).lines).toEqual([
      expect.objectContaining({ text: 'meanwhile' })
    ])
  })

  it('whoami and status tell who and where', async () => {
    const who = await json('ada', 'whoami')
    expect(who.lines).toEqual([
      expect.objectContaining({
        username: 'ada',
        accountId: expect.stringMatching(/^[0-9a-f]{64}$/),
        deviceId: expect.stringMatching(/^[0-9a-f]{32}$/),
        record: expect.objectContaining({ network: 'local devnet (emulated ledger rules)' })
      })
    ])
    const lines = [{ connection: 'online', node: node.url, waiting: 0, username: 'ada' }]
    await expect.poll(() => json('ada', 'status'), POLL).toMatchObject({ lines })
    expect((await run('ada', ['status'])).stdout).toContain('Registered as @ada')
  })

  it('fewer messages than asked for is exit code 3, and says so', async () => {
    const { code, lines, stderr } = await json('ada', 'listen', '--count', '2', '--timeout', '1')
    expect({ code, lines }).toEqual({ code: 3, lines: [] })
    expect(stderr).toContain('0 of 2')
  })

  it('a data directory that is in use says so', async () => {
    const listener = start('bob', ['listen', '--count', '2', '--timeout', '90', '--json'])
    await json('ada', 'send', '@bob', 'are you there')
    await listener.printed(/are you there/)
    const { code, stdout, stderr } = await run('bob', ['whoami', '--json'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('in use')
    await json('ada', 'send', '@bob', 'you may go')
    expect((await listener.ended).code).toBe(0)
  })

  it('an account is not registered over, and a taken name not twice', async () => {
    expect(await register('ada')).toMatchObject({
      code: 1,
      lines: [],
      stderr: expect.stringContaining('already belongs to @ada')
    })
    const second = await json('eve', '--node', node.url, 'register', '--username', 'ada', '--demo-user', 'eve')
    expect(second).toMatchObject({ code: 1, lines: [], stderr: expect.stringContaining('taken') })
  })

  it('nobody is found under an unknown name', async () => {
    expect(await json('ada', 'send', '@nobody_at_all', 'hi')).toMatchObject({ code: 1, lines: [] })
    expect(await json('ada', 'messages', '@nobody_at_all')).toMatchObject({ code: 1, lines: [] })
  })

  it('answer, mark, change and delete messages, and see what the other one does', async () => {
    const id = (await json('ada', 'send', '@bob', 'tea at sven?')).lines[0]!.id as string
    const heard = await json('bob', 'listen', '--count', '1', '--timeout', '60')
    expect(heard.lines).toMatchObject([{ event: 'message', id, text: 'tea at sven?', edited: false, reactions: [] }])
    expect(await json('bob', 'react', '@ada', id, '👍')).toMatchObject({ code: 0, lines: [{ id, change: 'sent' }] })
    const reply = await json('bob', 'reply', '@ada', id, 'yes')
    expect(reply).toMatchObject({ code: 0, lines: [{ replyTo: id, text: 'yes', state: 'sent' }] })
    // By the beginning of its id, and by who did not write it.
    expect(await json('bob', 'edit', '@ada', id.slice(0, 12), 'no')).toMatchObject({ code: 1, lines: [] })
    const told = await json('ada', 'listen', '--count', '2', '--timeout', '60')
    expect(told.lines).toMatchObject([
      { event: 'reaction', id, from: 'bob', emoji: '👍', removed: false },
      { event: 'message', replyTo: id, text: 'yes' }
    ])
    expect((await json('ada', 'edit', '@bob', id, 'tea at seven?')).code).toBe(0)
    expect((await json('ada', 'pin', '@bob', id)).code).toBe(0)
    const poll = (await json('ada', 'poll', 'create', '@bob', 'Where?', 'here', 'there')).lines[0]!.id as string
    expect((await json('ada', 'timer', '@bob', '3600')).code).toBe(0)
    expect((await json('ada', 'timer', '@bob', 'off')).code).toBe(0)
    expect((await json('ada', 'delete', '@bob', id)).lines).toMatchObject([
      { deleted: true, text: 'This message was deleted.' }
    ])
    // The message is not on this device when the command begins.
    expect(await json('bob', 'poll', 'vote', '@ada', poll, 'there', '--timeout', '60')).toMatchObject({ code: 0 })
    const events = await json('bob', 'listen', '--count', '6', '--timeout', '60')
    expect(events.lines.map(({ event }) => event)).toEqual(['edit', 'pin', 'message', 'timer', 'timer', 'delete'])
    expect((await json('ada', 'poll', 'show', '@bob', poll)).code).toBe(0)
    const [shown] = (await json('ada', 'listen', '--count', '1', '--timeout', '60')).lines
    expect(shown).toMatchObject({ event: 'vote', id: poll, choices: [1] })
    expect((await json('bob', 'delete', '@ada', poll, '--for-me')).code).toBe(0)
    const left = (await json('bob', 'messages', '@ada')).lines
    expect(left.find(message => message.id === poll)).toBeUndefined()
    expect(left.find(message => message.id === id)).toMatchObject({ deleted: true })
    expect((await json('bob', 'react', '@ada', 'ffffffff', '👍', '--timeout', '5')).code).toBe(1)
  })

  it('while no node answers, a message waits (exit code 3), and the next command sends it', async () => {
    const flags = ['--port', new URL(node.url).port, '--admin-port', '0']
    await node.stop()
    const waiting = await json('ada', 'send', '@bob', 'while you were down', '--timeout', '6')
    expect(waiting).toMatchObject({ code: 3, lines: [expect.objectContaining({ state: 'waiting' })] })
    expect((await json('ada', 'messages', '@bob')).lines.at(-1)).toMatchObject({ state: 'waiting' })
    node = await NodeProcess.start({ dataDir: node.dataDir, flags })
    // Each command sends what it can while it runs; on a busy machine `status` may answer before it is connected.
    await expect.poll(() => json('ada', 'status'), POLL).toMatchObject({ code: 0, lines: [{ waiting: 0 }] })
    expect((await json('bob', 'listen', '--count', '1', '--timeout', '60')).lines).toEqual([
      expect.objectContaining({ text: 'while you were down' })
    ])
  })

  it('a device is listed, removes itself only with --yes, and says so when it should send afterwards', async () => {
    const listed = await json('bob', 'devices')
    const deviceId = listed.lines[0]!['deviceId'] as string
    expect(listed.code).toBe(0)
    expect(listed.lines).toEqual([expect.objectContaining({ name: 'Command line', isThis: true, removed: null })])
    const unsure = await json('bob', 'revoke', deviceId.slice(0, 8))
    expect(unsure).toMatchObject({ code: 1, lines: [], stderr: expect.stringContaining('--yes') })
    const removed = await json('bob', 'revoke', deviceId.slice(0, 8), '--yes')
    expect(removed).toMatchObject({ code: 0, lines: [{ deviceId, state: expect.stringMatching(/^revok/) }] })
    const late = await json('bob', 'send', '@ada', 'too late')
    expect(late).toMatchObject({ code: 1, lines: [], stderr: expect.stringContaining('was removed') })
    const after = await json('bob', 'devices', '--timeout', '1')
    expect(after.lines).toMatchObject([{ deviceId, isThis: true, state: expect.stringMatching(/^revok/) }])
  })
})

describe('what can go wrong on the command line', () => {
  it('is exit code 2 with a sentence when it cannot be understood', async () => {
    const { code, stdout, stderr } = await runProcess('x', ['send', '@bob'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^volo-peer: .*\n$/)
  })

  it('help names the default data directory', async () => {
    const { code, stdout } = await runProcess('x', ['--help'], { XDG_DATA_HOME: '/somewhere' })
    expect(code).toBe(0)
    expect(stdout).toContain('/somewhere/volo-peer')
  })

  it('without an account there is nothing to send from', async () => {
    expect(await json('nobody', 'send', '@bob', 'hi')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('register')
    })
  })

  it('a node that is not there is told with its address', async () => {
    const { code, stderr } = await json('far', '--node', 'http://127.0.0.1:1', 'register', '--username', 'far')
    expect(code).toBe(1)
    expect(stderr).toContain('http://127.0.0.1:1 cannot be reached')
  })

  it('a data directory that cannot be made says so', async () => {
    writeFileSync(dataOf('a-file'), '')
    const { code, stderr } = await run(join('a-file', 'below'), ['whoami'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^volo-peer: .*cannot be (used|opened).*\n$/)
  })
})

describe('a data directory with a passphrase', () => {
  const passphrase = (name: string, text: string): Record<string, string> => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, name), text)
    return { VOLO_PASSPHRASE_FILE: join(folder, name) }
  }

  it('opens with it, and with nothing else', async () => {
    const right = passphrase('right', 'correct horse battery staple\n')
    const { code } = await run('carol', ['--node', node.url, 'register', '--username', 'carol', '--json'], right)
    expect(code).toBe(0)
    expect((await run('carol', ['whoami', '--json'], right)).code).toBe(0)
    const wrong = await run('carol', ['whoami'], passphrase('wrong', 'incorrect horse'))
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('does not open') })
    const missing = await run('carol', ['whoami'])
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('VOLO_PASSPHRASE_FILE') })
    const absent = await run('carol', ['whoami'], { VOLO_PASSPHRASE_FILE: join(folder, 'absent') })
    expect(absent).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be read') })
  })

  it('a key without one is a file that only its owner can read, and is refused otherwise', async () => {
    await runProcess('dave', ['whoami'])
    const file = join(dataOf('dave'), 'store-key.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).toContain('"plain"')
    chmodSync(file, 0o644)
    expect(await run('dave', ['whoami'])).toMatchObject({ code: 1, stderr: expect.stringContaining('chmod 600') })
  })
})
