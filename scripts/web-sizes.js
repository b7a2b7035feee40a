/**
 * Sizes of the built web app, as a browser fetches it: `node scripts/web-sizes.js [dist/web]`. Prints one JSON line with
 * gzip bytes; ends with 1 if a budget is exceeded, 2 if there is no build.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const KILOBYTE = 1_000
const BUDGET = { firstLoadJs: 90 * KILOBYTE, css: 15 * KILOBYTE, worker: 280 * KILOBYTE }

const folder = process.argv[2] ?? 'dist/web'
if (!existsSync(join(folder, 'index.html'))) {
  console.error(`There is no built web app in ${folder}. "npm run build" makes one.`)
  process.exit(2)
}

const page = readFileSync(join(folder, 'index.html'), 'utf8')
const scripts = [...page.matchAll(/(?:<script[^>]+src|<link rel="modulepreload"[^>]+href)="\.?\/?([^"]+)"/g)].map(
  m => m[1]
)
const styles = [...page.matchAll(/<link rel="stylesheet"[^>]+href="\.?\/?([^"]+)"/g)].map(m => m[1])
const assets = readdirSync(join(folder, 'assets')).map(name => `assets/${name}`)
const gzipped = names =>
  names.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name)), { level: 9 }).length, 0)
const bytes = names => names.reduce((sum, name) => sum + readFileSync(join(folder, name)).length, 0)

/** What a file imports statically: a browser fetches it with the file. */
const importedBy = name =>
  [...readFileSync(join(folder, name), 'utf8').matchAll(/\b(?:import|from)\s*["']\.\/([^"']+\.js)["']/g)].map(
    m => `assets/${m[1]}`
  )

/** Every start loads the worker's entry, then the peer, and what the two import. */
const workerFiles = new Set(assets.filter(name => /^assets\/(peer-worker|browser-peer)-.*\.js$/.test(name)))
for (const name of workerFiles) for (const imported of importedBy(name)) workerFiles.add(imported)

/** @param {string} name - of a built file. */
const isWorker = name => workerFiles.has(name)

/** @param {string} name - of a built file. */
const isLanguage = name => /^assets\/(en|de|ar)-.*\.js$/.test(name)

const sizes = {
  // With the words of one language, the largest.
  firstLoadJs: gzipped(scripts) + Math.max(0, ...assets.filter(isLanguage).map(name => gzipped([name]))),
  css: gzipped(styles),
  worker: gzipped(assets.filter(isWorker)),
  // Pages that few people open, fetched when they do.
  later: gzipped(assets.filter(name => name.endsWith('.js') && !scripts.includes(name) && !isWorker(name))),
  serviceWorker: gzipped(['service-worker.js']),
  // Already compressed.
  fonts: bytes(assets.filter(name => name.endsWith('.woff2')))
}
const within = Object.entries(BUDGET).every(([part, budget]) => sizes[part] <= budget)
console.log(JSON.stringify({ name: 'web-sizes', unit: 'bytes, gzip', ...sizes, budget: BUDGET, within }))
process.exitCode = within ? 0 : 1
