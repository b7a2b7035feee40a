import { describe, expect, test } from 'vitest'
import { parseCommandLine, UsageError } from '../../../../peer/cli/command-line.ts'
import { demoSignIn } from '../../../../peer/cli/demo-sign-in.ts'
import { messageLine } from '../../../../peer/cli/output.ts'
import type { ChatMessage, Me, Person } from '../../../../peer/peer-api.ts'
import { NOTHING_SAID } from '../../../support/fixture-world.ts'

const parse = (...argv: string[]) => parseCommandLine(argv, '/default')

describe('the command line', () => {
  test('options may stand before or after the command', () => {
    const common = { data: 'd', node: 'http://127.0.0.1:1', json: true, timeoutMs: 2500 }
    const expected = { kind: 'send', to: '@bob', text: 'hi there', ...common }
    expect(
      parse('--data', 'd', '--node', 'http://127.0.0.1:1/', '--json', 'send', '@bob', 'hi there', '--timeout', '2.5')
    ).toEqual(expected)
  })

  test('the demo user is the username unless told otherwise', () => {
    expect(parse('register', '--username', '@ada')).toMatchObject({
      username: 'ada',
      demoUser: 'ada',
      data: '/default'
    })
    expect(parse('register', '--username', 'ada', '--demo-user', 'Countess')).toMatchObject({ demoUser: 'Countess' })
  })

  test('help is help wherever it is asked for, and of a command where one is named', () => {
    const textOf = (...argv: string[]): string => {
      const command = parse(...argv)
      return command.kind === 'help' ? command.text : `${command.kind}, not help`
    }
    expect(textOf('-h')).toContain('Exit codes: 0 done')
    expect(textOf('--help')).toContain('/default')
    expect(textOf('help')).toBe(textOf('-h'))
    expect(textOf('listen', '--help')).toContain('--count <N>')
    expect(textOf('help', 'listen')).toBe(textOf('listen', '-h'))
    expect(textOf('listen', '--help')).toContain('--timeout <S>')
  })

  test('the words of a linking code may come with or without quotes', () => {
    const expected = { kind: 'linkJoin', code: 'judge secret foil', name: 'desk' }
    expect(parse('link', 'join', 'judge secret foil', '--name', 'desk')).toMatchObject(expected)
    expect(parse('link', 'join', 'judge', 'secret', 'foil', '--name', 'desk')).toMatchObject(expected)
  })

  test('the version is told without a command', () => {
    expect(parse('--version')).toEqual({ kind: 'version' })
  })

  test.each([
    [['reply', '@bob', 'abcdef01', 'yes'], { kind: 'reply', chat: '@bob', message: 'abcdef01', text: 'yes' }],
    [['react', '@bob', 'abcdef01', '👍'], { kind: 'react', emoji: '👍' }],
    [['react', '@bob', 'abcdef01', '👍', '--remove'], { kind: 'react', emoji: null }],
    [['react', '@bob', 'abcdef01', '--remove'], { kind: 'react', emoji: null }],
    [['edit', '@bob', 'abcdef01', 'no'], { kind: 'edit', text: 'no' }],
    [['delete', '@bob', 'abcdef01'], { kind: 'delete', forMe: false }],
    [['delete', '@bob', 'abcdef01', '--for-me'], { kind: 'delete', forMe: true }],
    [['backup', 'settings', '--automatic', 'off'], { kind: 'backupSettings', automatic: false, leaveOut: undefined }],
    [['backup', 'settings', '--files', 'on', '--leave-out', '@a', '@b'], { withFiles: true, leaveOut: ['@a', '@b'] }],
    [['backup', 'settings', '--all-chats'], { kind: 'backupSettings', leaveOut: [] }],
    [['pin', '@bob', 'abcdef01'], { kind: 'pin', isPinned: true }],
    [['unpin', '@bob', 'abcdef01'], { kind: 'pin', isPinned: false }],
    [['star', '@bob', 'abcdef01'], { kind: 'star', isStarred: true }],
    [['unstar', '@bob', 'abcdef01'], { kind: 'star', isStarred: false }],
    [['forward', '@bob', 'abcdef01', '@eve'], { kind: 'forward', to: '@eve' }],
    [['timer', '@bob', '60'], { kind: 'timer', seconds: 60 }],
    [['timer', '@bob', 'off'], { kind: 'timer', seconds: null }],
    [
      ['poll', 'create', '@bob', 'Tea?', 'yes', 'no', '--multiple'],
      { kind: 'pollCreate', question: 'Tea?', options: ['yes', 'no'], isMultiple: true }
    ],
    [['poll', 'vote', '@bob', 'abcdef01', '1', 'no'], { kind: 'pollVote', choices: ['1', 'no'] }],
    [['poll', 'show', '@bob', 'abcdef01'], { kind: 'pollShow' }]
  ])('%j is understood', (argv, command) => {
    expect(parse(...argv)).toMatchObject(command)
  })

  test.each([
    [['reply', '@bob', 'first', 'yes']],
    [['reply', '@bob', 'abcdef01', ' ']],
    [['react', '@bob', 'abcdef01']],
    [['react', '@bob']],
    [['timer', '@bob', 'soon']],
    [['timer', '@bob', '0']],
    [['poll', 'create', '@bob', 'Tea?']],
    [['poll']]
  ])('%j is not understood', argv => {
    expect(() => parse(...argv)).toThrow(UsageError)
  })

  test.each([
    [[]],
    [['fly']],
    [['send']],
    [['send', '@bob']],
    [['send', '@bob', '   ']],
    [['send', '@bob', 'hi', 'there']],
    [['register']],
    [['register', '--username', '']],
    [['listen', '--count', '0']],
    [['listen', '--count', 'many']],
    [['listen', '--timeout', '-1']],
    [['whoami', '--count', '1']],
    [['whoami', 'extra']],
    [['name']],
    [['name', 'ada', 'extra']],
    [['status', '--node', 'ftp://x']],
    [['status', '--node', 'nonsense']],
    [['status', '--unknown']],
    [['help', 'fly']]
  ])('%j is not understood', argv => {
    expect(() => parse(...argv)).toThrow(UsageError)
  })
})

describe('driving the demo sign-in', () => {
  const RETURN_TO = 'http://127.0.0.1:9/'
  const NODE = 'http://127.0.0.1:8787'

  /** Pages by address; a function sees the request. */
  function site(pages: Record<string, (init: RequestInit) => Response>) {
    return async (url: string, init: RequestInit = {}): Promise<Response> => {
      const { pathname } = new URL(url)
      return pages[pathname]!(init)
    }
  }
  const redirect = (location: string, cookie?: string): Response =>
    new Response(null, {
      status: 303,
      headers: cookie === undefined ? { location } : { location, 'set-cookie': cookie }
    })

  test('fills the form in, keeps cookies, and comes back with the code', async () => {
    const seen: { cookie: string; body: string }[] = []
    const fetch = site({
      '/start': () => redirect('/login', 'session=abc; Path=/; HttpOnly'),
      '/login': () =>
        new Response(
          '<form method="post" action="/done?a=1&amp;b=2"><input type="hidden" name="csrf" value="x"><input name="login"></form>'
        ),
      '/done': init => {
        seen.push({ cookie: new Headers(init.headers).get('cookie')!, body: String(init.body) })
        return redirect(`${RETURN_TO}#/signed-in?code=one-time`)
      }
    })
    expect(await demoSignIn(fetch, `${NODE}/start`, RETURN_TO, 'ada', AbortSignal.timeout(5000))).toBe('one-time')
    expect(seen).toEqual([{ cookie: 'session=abc', body: 'csrf=x&login=ada' }])
  })

  test('never leaves the node', async () => {
    const fetch = site({ '/start': () => redirect('https://evil.example/login') })
    await expect(demoSignIn(fetch, `${NODE}/start`, RETURN_TO, 'ada', AbortSignal.timeout(5000))).rejects.toThrow(
      /away/
    )
  })

  test('a refusal is told', async () => {
    const fetch = site({ '/start': () => redirect(`${RETURN_TO}#/signed-in?error=denied`) })
    await expect(demoSignIn(fetch, `${NODE}/start`, RETURN_TO, 'ada', AbortSignal.timeout(5000))).rejects.toThrow(
      /denied/
    )
  })

  test('a site that goes round in circles is left', async () => {
    const fetch = site({ '/start': () => redirect('/start') })
    await expect(demoSignIn(fetch, `${NODE}/start`, RETURN_TO, 'ada', AbortSignal.timeout(5000))).rejects.toThrow(/end/)
  })
})

test('a message cannot drive the terminal it is printed in', () => {
  const message = {
    ...NOTHING_SAID,
    mine: false,
    text: 'a\u001b[2Jb\u202ec',
    sentAt: 0,
    state: null
  } as unknown as ChatMessage
  const person = { username: 'bob' } as Person
  const line = messageLine(message, person, {} as Me)
  expect(line).toBe('1970-01-01 00:00  @bob: a\\u{1b}[2Jb\\u{202e}c')
})
