import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  circularArrows,
  fileGraph,
  folderGraph,
  importsOf,
  sourcesBelow,
  withoutArrows,
  type ImportGraph
} from '../support/import-graph.ts'

const root = resolve(import.meta.dirname, '../..')

/** Which folders of ours each folder may import. */
const ALLOWED: Record<string, string[]> = {
  protocol: [],
  'storage-adapter': ['protocol'],
  chain: ['protocol'],
  peer: ['protocol'],
  node: ['protocol', 'chain', 'storage-adapter'],
  web: ['protocol', 'peer']
}

/**
 * Arrows that still close a circle between folders. The list only gets shorter: once an arrow is gone, the test asks for
 * its line to be removed.
 */
const KNOWN_ARROWS: Record<string, string[]> = {}

/** The same for circles between files. */
const KNOWN_FILE_ARROWS: Record<string, string[]> = {}

/** Imports of a file that leave its folder for one that it may not see. */
function wrongTurns(folder: string, file: string, source = readFileSync(join(root, file), 'utf8')): string[] {
  return importsOf(source)
    .map(specifier => relative(root, resolve(root, dirname(file), specifier)).split(sep)[0]!)
    .filter(target => target !== folder && !ALLOWED[folder]!.includes(target))
    .map(target => `${file} imports ${target}/`)
}

describe('dependency direction', () => {
  for (const folder of Object.keys(ALLOWED)) {
    it(`${folder} imports only ${ALLOWED[folder]!.join(' and ') || 'nothing of ours'}`, () => {
      const files = sourcesBelow(root, folder)
      expect(files.length).toBeGreaterThan(0)
      expect(files.flatMap(file => wrongTurns(folder, file))).toEqual([])
    })
  }

  it('notices a wrong turn', () => {
    const source = "import { start } from '../../node/main.ts'\nimport { encode } from '../codec.ts'\n"
    const wrong = wrongTurns('protocol', 'protocol/session/example.ts', source)
    expect(wrong).toEqual(['protocol/session/example.ts imports node/'])
  })
})

/** Known arrows that close no circle any more. */
const gone = (known: string[], graph: ImportGraph): string[] => {
  const circular = circularArrows(graph)
  return known.filter(arrow => !circular.includes(arrow))
}

describe('circles', () => {
  for (const folder of ['protocol', 'storage-adapter', 'chain', 'peer', 'node']) {
    it(`no two folders inside ${folder} import each other, however far around`, () => {
      const graph = folderGraph(fileGraph(root, folder))
      const known = KNOWN_ARROWS[folder] ?? []
      expect(circularArrows(withoutArrows(graph, known))).toEqual([])
      expect(gone(known, graph), 'arrows to remove from the list of known ones').toEqual([])
    })
  }

  for (const folder of Object.keys(ALLOWED)) {
    it(`no two files of ${folder} import each other, however far around`, () => {
      const graph = fileGraph(root, folder)
      const known = KNOWN_FILE_ARROWS[folder] ?? []
      expect(circularArrows(withoutArrows(graph, known))).toEqual([])
      expect(gone(known, graph), 'arrows to remove from the list of known ones').toEqual([])
    })
  }

  it('notices a circle', () => {
    const graph: ImportGraph = new Map([
      ['peer/history/log.ts', new Set(['peer/store/store.ts'])],
      ['peer/store/store.ts', new Set(['peer/store/batch.ts'])],
      ['peer/store/batch.ts', new Set(['peer/people/names.ts', 'peer/ports.ts'])],
      ['peer/people/names.ts', new Set(['peer/history/ids.ts', 'peer/ports.ts'])],
      ['peer/history/ids.ts', new Set<string>()],
      ['peer/ports.ts', new Set<string>()],
      ['peer/peer-engine.ts', new Set(['peer/history/log.ts', 'peer/ports.ts'])]
    ])
    expect(circularArrows(graph)).toEqual([])
    const circle = ['peer/history → peer/store', 'peer/people → peer/history', 'peer/store → peer/people']
    expect(circularArrows(folderGraph(graph))).toEqual(circle)
    expect(circularArrows(withoutArrows(folderGraph(graph), [circle[1]!]))).toEqual([])
  })

  it('notices a room that imports what composes it, and lets rooms share a file beside them', () => {
    const rooms: [string, Set<string>][] = [
      ['chain/verify/run-command.ts', new Set(['chain/verify/checks/answer.ts'])],
      ['chain/verify/checks/answer.ts', new Set(['chain/verify/errors.ts'])],
      ['chain/verify/checks/subject.ts', new Set<string>()],
      ['chain/verify/errors.ts', new Set<string>()]
    ]
    expect(circularArrows(folderGraph(new Map(rooms)))).toEqual([])
    rooms.push(['chain/verify/checks/subject.ts', new Set(['chain/verify/run-command.ts'])])
    expect(circularArrows(folderGraph(new Map(rooms)))).toEqual([
      'chain/verify/checks → chain/verify/run-command.ts',
      'chain/verify/run-command.ts → chain/verify/checks'
    ])
  })

  it('notices two files that import each other', () => {
    const graph: ImportGraph = new Map([
      ['node/a.ts', new Set(['node/b.ts', 'node/c.ts'])],
      ['node/b.ts', new Set(['node/a.ts'])],
      ['node/c.ts', new Set<string>()]
    ])
    expect(circularArrows(graph)).toEqual(['node/a.ts → node/b.ts', 'node/b.ts → node/a.ts'])
  })
})
