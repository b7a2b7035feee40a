/** The command lines for people and the pages about them have the same commands. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { COMMAND_NAMES } from '../../chain/verify/arguments.ts'
import { parseCommandLine } from '../../peer/cli/command-line.ts'

const page = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
/** First words of the code in the first cells of tables; a cell may hold an escaped bar. */
const rows = (text: string): string[] =>
  [...text.matchAll(/^\| ((?:\\\||[^|\n])+)\|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]*)`/g)].map(([, code]) => /^[a-z-]+/.exec(code!)?.[0] ?? '')
  )

describe('the pages about the command lines', () => {
  it('docs/peer.md has every command of volo-peer, and none that is not there', () => {
    const help = parseCommandLine(['--help'], '/nowhere')
    const text = help.kind === 'help' ? help.text : ''
    const real = [...text.matchAll(/^ {2}([a-z]+)(?: |$)/gm)].map(([, name]) => name!).filter(name => name !== 'help')
    expect(real.length).toBeGreaterThan(20)
    const section = page('peer.md').split('\n## `volo-peer`')[1]!.split('\n## ')[0]!
    const named = new Set(rows(section))
    expect(real.filter(name => !named.has(name))).toEqual([])
    expect([...named].filter(name => !real.includes(name))).toEqual([])
  })

  it('docs/verify.md has every command of volo-verify, and none that is not there', () => {
    const section = page('verify.md').split('\n## Commands')[1]!.split('\n## ')[0]!
    const named = new Set(rows(section))
    const real = new Set(COMMAND_NAMES.map(name => name.split(' ')[0]!))
    expect([...named].sort()).toEqual([...real].sort())
  })
})
