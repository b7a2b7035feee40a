/** The arrows of the house: which file imports which, and which folders therefore depend on each other. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

/** For each place (a file or a folder) the places that it imports. Paths are relative to the checkout, with `/`. */
export type ImportGraph = ReadonlyMap<string, ReadonlySet<string>>

/** Relative module names in a source text: static and dynamic imports, types included. */
export function importsOf(source: string): string[] {
  return [...source.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(match => match[1]!)
}

/** TypeScript and Svelte files below a folder, relative to `root`. A folder that does not exist has none. */
export function sourcesBelow(root: string, folder: string): string[] {
  const names = safely(() => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }), [])
  return names.filter(name => /\.(ts|svelte)$/.test(name)).map(name => slashed(join(folder, name)))
}

/** What each file below a folder imports of the same folder. */
export function fileGraph(root: string, folder: string): ImportGraph {
  const files = sourcesBelow(root, folder)
  const known = new Set(files)
  const targetsOf = (file: string): string[] =>
    importsOf(readFileSync(join(root, file), 'utf8'))
      .map(specifier => slashed(relative(root, resolve(root, dirname(file), specifier))))
      .filter(target => known.has(target))
  return new Map(files.map(file => [file, new Set(targetsOf(file))]))
}

/**
 * Joins the files of each folder into one place. A file that lies beside sub-folders stays a place of its own: a folder
 * with rooms inside holds what composes them (`node/volo-node.ts`, `chain/verify/run-command.ts`) and what all of them use
 * (`node/ports.ts`, `chain/verify/errors.ts`). As one place these would import the rooms and be imported by them, and every
 * such folder would be a circle. As places of their own they hide none: a room that imports what composes it is one.
 */
export function folderGraph(files: ImportGraph): ImportGraph {
  const outer = new Set([...files.keys()].map(file => dirname(dirname(file))))
  const placeOf = (file: string): string => (outer.has(dirname(file)) ? file : dirname(file))
  const graph = new Map<string, Set<string>>()
  for (const [file, targets] of files) {
    const from = placeOf(file)
    if (!graph.has(from)) graph.set(from, new Set())
    for (const target of targets) if (placeOf(target) !== from) graph.get(from)!.add(placeOf(target))
  }
  return graph
}

/**
 * Every arrow that lies on a circle, as `from → to`, sorted. Empty means that the places can be put into an order in
 * which each one imports only later ones.
 */
export function circularArrows(graph: ImportGraph): string[] {
  const reach = new Map([...graph.keys()].map(place => [place, reachableFrom(graph, place)]))
  return [...graph]
    .flatMap(([from, targets]) => [...targets].filter(to => reach.get(to)?.has(from)).map(to => `${from} → ${to}`))
    .sort()
}

/** The graph without the arrows in a list. */
export function withoutArrows(graph: ImportGraph, arrows: readonly string[]): ImportGraph {
  const cut = new Set(arrows)
  return new Map(
    [...graph].map(([from, targets]) => [from, new Set([...targets].filter(to => !cut.has(`${from} → ${to}`)))])
  )
}

/** Every place that can be reached over one arrow or more; the start itself only if it lies on a circle. */
function reachableFrom(graph: ImportGraph, start: string): Set<string> {
  const seen = new Set<string>()
  const waiting = [...(graph.get(start) ?? [])]
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (seen.has(place)) continue
    seen.add(place)
    waiting.push(...(graph.get(place) ?? []))
  }
  return seen
}

const slashed = (path: string): string => path.split(sep).join('/')

function safely<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise
    throw error
  }
}
