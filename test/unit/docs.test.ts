/** Documents name files by link and by path. Files move; this notices a document that did not move along. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CAMPAIGNS } from '../adversary/campaigns/campaigns.ts'

const root = resolve(import.meta.dirname, '../..')

/** Folders in which a path between backticks is looked for. */
const FOLDERS = 'protocol|storage-adapter|chain|peer|node|web|test|docs|scripts|bin|docker'
/** `node/main.ts`, `peer/network/`, `docs/verify.md`; not `npm run x`, nor a pattern with `*` or `…`. */
const PATH = new RegExp(`\`((?:${FOLDERS})/[\\w./@-]*)\``, 'g')
/** Promises name the test that shows them: `removed-sender.test.ts`, in whatever folder it is. */
const TEST = /`([\w-]+\.(?:test|spec)\.ts)`/g
const LINK = /\]\(([^)\s]+)\)/g

const documents = [
  ...readdirSync(root).filter(name => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => join('docs', name))
]

const tests = new Set(
  readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).map(name => basename(name))
)

/** What a text names that does not exist, as `README.md: docs/gone.md`. */
function missing(document: string, text: string): string[] {
  const matches = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map(match => match[1]!)
  const links = matches(LINK)
    .filter(link => !/^[a-z]+:|^#/.test(link))
    .map(link => resolve(root, dirname(document), link.replace(/#.*/, '')))
  const paths = matches(PATH).map(path => resolve(root, path))
  const gone = [...links, ...paths].filter(path => !existsSync(path)).map(path => relative(root, path))
  return [...gone, ...matches(TEST).filter(name => !tests.has(name))].map(name => `${document}: ${name}`)
}

/** Links to a heading of a document that has no such heading. */
function missingHeadings(document: string, text: string): string[] {
  return [...text.matchAll(LINK)]
    .map(match => match[1]!.split('#') as [string, string | undefined])
    .filter(([file, heading]) => heading !== undefined && !/^[a-z]+:/.test(file) && /^(.*\.md)?$/.test(file))
    .filter(([file, heading]) => {
      const target = file === '' ? join(root, document) : resolve(root, dirname(document), file)
      return existsSync(target) && !headingsOf(readFileSync(target, 'utf8')).includes(heading!)
    })
    .map(([file, heading]) => `${document}: ${file}#${heading}`)
}

/** Anchors of a document's headings, as GitHub and Forgejo make them. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(match =>
    match[1]!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-')
  )
}

describe('the documents', () => {
  for (const document of documents) {
    it(`${document} names only what exists`, () => {
      const text = readFileSync(join(root, document), 'utf8')
      expect([...missing(document, text), ...missingHeadings(document, text)]).toEqual([])
    })
  }

  it('a link or path to nothing is noticed', () => {
    const text =
      'See [this](../README.md), [that](gone.md#part), `node/gone.ts`, `node/main.ts`, `gone.test.ts`, `docs.test.ts` and `npm start`.'
    const gone = ['docs/gone.md', 'node/gone.ts', 'gone.test.ts']
    expect(missing('docs/example.md', text)).toEqual(gone.map(name => `docs/example.md: ${name}`))
    expect(missingHeadings('docs/example.md', '[x](../README.md#no-such-part)')).toEqual([
      'docs/example.md: ../README.md#no-such-part'
    ])
  })

  it('name for each attacker of the threat model the test or campaign that tries it', () => {
    const text = readFileSync(join(root, 'docs/threat-model.md'), 'utf8')
    const table = text.split('## Attackers')[1]!.split('\n## ')[0]!
    const rows = table
      .split('\n')
      .filter(line => line.startsWith('|'))
      .slice(2)
    expect(rows.length).toBeGreaterThan(10)
    expect(rows.filter(row => !/\.test\.ts`|campaigns\.md|npm run/.test(row.split('|').at(-2)!))).toEqual([])
  })

  it('say of each campaign what must hold', () => {
    const text = readFileSync(join(root, 'docs/campaigns.md'), 'utf8')
    expect(Object.keys(CAMPAIGNS).filter(name => !text.includes(`\n| \`${name}\``))).toEqual([])
  })

  it('number each decision once', () => {
    const numbers = readdirSync(join(root, 'docs/decisions')).map(name => name.slice(0, 4))
    expect(numbers.toSorted()).toEqual(numbers.map((_, index) => String(index + 1).padStart(4, '0')))
  })
})
