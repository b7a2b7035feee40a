/** `volo-peer link` as people run it: real processes, a real node, a devnet. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CommandProcess, NodeProcess, temporaryFolder } from '../../support/network/real-processes/node-process.ts'

const folder = temporaryFolder()
let node: NodeProcess

function start(name: string, ...args: string[]): CommandProcess {
  const words = ['--data', join(folder, name), '--node', node.url, '--json', ...args]
  return new CommandProcess('peer/cli/main.ts', words, {})
}

async function run(name: string, ...args: string[]) {
  const { code, stdout, stderr } = await start(name, ...args).ended
  const lines = stdout.split('\n').filter(line => line !== '')
  return { code, stderr, lines: lines.map(line => JSON.parse(line) as Record<string, unknown>) }
}

/** Shows a code. @returns it, with the command that waits. */
async function show(name: string, ...args: string[]): Promise<{ code: string; shown: CommandProcess }> {
  const shown = start(name, 'link', 'show', ...args)
  const [line] = await shown.printed(/^\{.*\}$/m)
  return { code: (JSON.parse(line) as { code: string }).code, shown }
}

beforeAll(async () => {
  node = await NodeProcess.start()
})
afterAll(async () => {
  await node.dispose()
  rmSync(folder, { recursive: true, force: true })
})

describe('volo-peer link', () => {
  it('adds a second data directory to the account; both write and read from then on', async () => {
    const { lines: registered } = await run('old', 'register', '--username', 'ada')
    await run('bob', 'register', '--username', 'bob')
    await run('old', 'send', '@bob', 'from before')
    const { code, shown } = await show('old', '--yes')
    expect(code.split(' ')).toHaveLength(12)
    const joined = await run('new', 'link', 'join', code, '--name', 'Laptop')
    expect(joined).toMatchObject({ code: 0, lines: [{ accountId: registered[0]!['accountId'], deviceName: 'Laptop' }] })
    const { checkWords } = joined.lines[0]!
    expect(joined.stderr).toContain((checkWords as string[]).join(' '))
    const ended = await shown.ended
    expect(ended.code).toBe(0)
    expect(ended.stdout.trim().split('\n')).toHaveLength(1)
    expect(ended.stderr).toContain('Added "Laptop".')
    expect(ended.stderr).toContain('It has all chats.')
    expect((await run('new', 'messages', '@bob')).lines).toMatchObject([{ text: 'from before', mine: true }])
    expect((await run('new', 'devices')).lines.map(({ isThis, state }) => [isThis, state])).toEqual([
      [false, expect.stringMatching(/^(pending|recorded|settled)$/)],
      [true, expect.stringMatching(/^(pending|recorded|settled)$/)]
    ])
    expect((await run('new', 'send', '@bob', 'from the laptop')).code).toBe(0)
    expect((await run('bob', 'listen', '--count', '1', '--timeout', '30')).lines).toMatchObject([
      { from: 'ada', text: 'from the laptop' }
    ])
    expect((await run('bob', 'send', '@ada', 'to both')).code).toBe(0)
    for (const device of ['old', 'new']) {
      expect((await run(device, 'listen', '--count', '1', '--timeout', '30')).lines).toMatchObject([
        { text: 'to both' }
      ])
    }

    const used = await run('third', 'link', 'join', code)
    expect(used.code).toBe(1)
    expect(used.stderr).toMatch(/another device has used this code/)
    const wrong = await run('third', 'link', 'join', 'legal winner thank')
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('twelve words') })
  })

  it('ends with 3 when nobody comes in time, and the code is of no use then', async () => {
    const { code, shown } = await show('old', '--yes', '--timeout', '6')
    expect((await shown.ended).code).toBe(3)
    const late = await run('fourth', 'link', 'join', code)
    expect(late.code).toBe(1)
    expect(late.stderr).toMatch(/cancelled on the other device/)
  })

  it('tells the other device when it is interrupted', async () => {
    const { code, shown } = await show('old', '--yes')
    expect(await shown.stop('SIGINT')).toMatchObject({ code: null, signal: 'SIGINT' })
    const late = await run('fourth', 'link', 'join', code)
    expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining('cancelled on the other device') })
  })

  it('adds nobody without --yes if nobody answers', async () => {
    const { code, shown } = await show('old')
    const refused = await run('fifth', 'link', 'join', code)
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('the answer was no') })
    expect((await shown.ended).code).toBe(1)
    expect((await run('fifth', 'whoami')).code).toBe(1)
  })
})
