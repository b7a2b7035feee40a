import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

/** Which folders of ours each folder may import. */
const ALLOWED: Record<string, string[]> = {
  protocol: [],
  chain: ['protocol'],
  peer: ['protocol'],
  node: ['protocol', 'chain'],
  web: ['protocol', 'peer']
}

function sourcesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.(ts|svelte)$/.test(name))
    .map(name => join(folder, name))
}

function importsOf(source: string): string[] {
  return [...source.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(match => match[1]!)
}

/** Imports of a file that leave its folder for one that it may not see. */
function wrongTurns(folder: string, file: string, source = readFileSync(file, 'utf8')): string[] {
  return importsOf(source)
    .map(specifier => relative(root, resolve(dirname(file), specifier)).split(sep)[0]!)
    .filter(target => target !== folder && !ALLOWED[folder]!.includes(target))
    .map(target => `${relative(root, file)} imports ${target}/`)
}

describe('dependency direction', () => {
  for (const folder of Object.keys(ALLOWED)) {
    it(`${folder} imports only ${ALLOWED[folder]!.join(' and ') || 'nothing of ours'}`, () => {
      const files = sourcesBelow(join(root, folder))
      expect(files.length).toBeGreaterThan(0)
      expect(files.flatMap(file => wrongTurns(folder, file))).toEqual([])
    })
  }

  it('notices a wrong turn', () => {
    const file = join(root, 'protocol/session/example.ts')
    const source = "import { start } from '../../node/main.ts'\nimport { encode } from '../codec.ts'\n"
    expect(wrongTurns('protocol', file, source)).toEqual(['protocol/session/example.ts imports node/'])
  })
})
