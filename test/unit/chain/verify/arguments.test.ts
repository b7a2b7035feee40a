import { readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { COMMAND_NAMES, parseArguments, type Invocation } from '../../../../chain/verify/arguments.ts'
import { helpText } from '../../../../chain/verify/help.ts'
import { parseRecordReference, parseSubject } from '../../../../chain/verify/checks/subject.ts'

const root = resolve(import.meta.dirname, '../../../..')
const ID = 'ab'.repeat(32)

function parse(line: string): Invocation {
  const request = parseArguments(line.split(' '))
  if (request.kind !== 'run') throw new Error(request.kind)
  return request.invocation
}

describe('the command line', () => {
  it('names a command, what it is about, and sources', () => {
    const { command, positionals, nodes, blockfrosts, options } = parse(
      'proof export @ada --out f --node http://a.example --node https://b.example --blockfrost https://c.example/api/v0'
    )
    expect([command, positionals, nodes]).toEqual(['proof export', ['@ada'], ['http://a.example', 'https://b.example']])
    expect(blockfrosts).toEqual([{ url: 'https://c.example/api/v0', projectIdFile: undefined }])
    expect(options).toEqual({ minConf: 1, trustLevel: undefined, atHeight: undefined, maxTipAgeMs: 1_800_000 })
  })

  it('gives a project id to the server before it and to no other', () => {
    const { blockfrosts } = parse(
      'audit --blockfrost https://a.example --project-id-file id --blockfrost https://b.example'
    )
    expect(blockfrosts).toEqual([
      { url: 'https://a.example', projectIdFile: 'id' },
      { url: 'https://b.example', projectIdFile: undefined }
    ])
    expect(() => parse('audit --project-id-file id --blockfrost https://a.example')).toThrow(/follows/)
  })

  it.each([
    '',
    'verify',
    'account',
    'account @ada @bob',
    'proof',
    'proof import @ada',
    'account @ada --expect 1',
    'account @ada --node ftp://a.example',
    'account @ada --node a.example',
    'account @ada --min-conf -1',
    'account @ada --min-conf 1.5',
    'account @ada --min-conf 99999999999999',
    'account @ada --trust-level L5',
    'account @ada --at-height now',
    'account @ada --frobnicate',
    'account @ada --proof f --node http://a.example',
    'monitor @ada --interval 0'
  ])('is refused: %j', line => {
    expect(() => parse(line)).toThrow(expect.objectContaining({ name: 'VerifyError', code: 'USAGE' }))
  })

  it('takes trust levels with or without their letter', () => {
    expect(parse('account @ada --trust-level L2').options.trustLevel).toBe(2)
    expect(parse('account @ada --trust-level 0').options.trustLevel).toBe(0)
  })

  it('shows help before anything else', () => {
    expect(parseArguments(['account', '--help'])).toEqual({ kind: 'help', of: 'account' })
    expect(parseArguments(['proof', 'check', '-h'])).toEqual({ kind: 'help', of: 'proof check' })
    expect(parseArguments(['help', 'audit'])).toEqual({ kind: 'help', of: 'audit' })
    expect(parseArguments(['--help'])).toEqual({ kind: 'help', of: undefined })
  })
})

describe('subjects', () => {
  it('are names or account ids', () => {
    expect(parseSubject('@Ada')).toEqual({ kind: 'name', label: '@ada', username: 'ada' })
    expect(parseSubject(ID.toUpperCase())).toMatchObject({ kind: 'account', label: ID })
    for (const text of ['@a', '', ID.slice(2), 'ada lovelace']) expect(() => parseSubject(text)).toThrow(/neither/)
  })

  it('of record are a transaction and an index', () => {
    expect(parseRecordReference(`${ID}#12`)).toEqual({ transaction: ID, recordIndex: 12 })
    for (const text of [ID, `${ID}#`, `${ID}#-1`, `${ID}#1x`, `x${ID}#1`]) {
      expect(() => parseRecordReference(text)).toThrow(/not a record/)
    }
  })
})

describe('help', () => {
  it('is there for every command', () => {
    for (const name of COMMAND_NAMES) expect(helpText(name)).toMatch(new RegExp(`^volo-verify ${name}`))
    expect(helpText()).toContain('Exit codes: 0 verified')
  })

  it('is there at once: all that loads before a command runs is small and our own', () => {
    const loaded = [...staticImports(join(root, 'chain/verify/main.ts'))]
    const own = ['chain/verify/', 'protocol/'].map(folder => join(root, folder))
    const outside = loaded.filter(name => !own.some(folder => name.startsWith(folder)))
    expect(outside).toEqual(['node:util'])
    const bytes = loaded.filter(name => name.startsWith('/')).reduce((sum, name) => sum + statSync(name).size, 0)
    expect(bytes).toBeLessThan(50_000)
  })
})

/** Everything that loads with a file: paths of ours, and names of packages. Types and dynamic imports do not load. */
function staticImports(file: string, seen = new Set<string>()): Set<string> {
  seen.add(file)
  for (const [, specifier] of readFileSync(file, 'utf8').matchAll(/^import (?!type )[^;]*? from '([^']+)'$/gm)) {
    const target = specifier!.startsWith('.') ? resolve(dirname(file), specifier!) : specifier!
    if (seen.has(target)) continue
    if (specifier!.startsWith('.')) staticImports(target, seen)
    else seen.add(target)
  }
  return seen
}
