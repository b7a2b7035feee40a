/**
 * Builds what is stale: `npm run build`, and every command that runs from `dist/`. TypeScript goes through `tsc --build`,
 * the web app through Vite; both on the pinned Node.js.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { at, fail, pinnedNode, root, SetupError, step, tool } from './checkout.js'
import { ensureInstalled } from './install.js'
import { withLock } from './lock.js'
import { writeWebManifest } from './web-manifest.js'

/** Lines of a failed build that are shown. */
const MAX_LINES = 40

const TARGETS = {
  app: {
    title: 'building the node',
    sources: ['protocol', 'chain', 'storage-adapter', 'peer', 'node', 'tsconfig.json', 'package-lock.json'],
    command: [tool('typescript-native', 'bin', 'tsc'), '--build', 'chain', 'storage-adapter', 'peer', 'node'],
    finish: bundleCommands
  },
  web: {
    title: 'building the web app',
    sources: ['protocol', 'peer', 'web', 'tsconfig.json', 'package-lock.json', 'scripts/web-manifest.js'],
    command: [tool('vite', 'bin', 'vite.js'), 'build', 'web', '--logLevel', 'warn'],
    finish: () => writeWebManifest(at('dist', 'web'))
  },
  test: {
    title: 'building tests and benchmarks',
    sources: ['protocol', 'chain', 'storage-adapter', 'peer', 'node', 'test', 'tsconfig.json', 'package-lock.json'],
    command: [tool('typescript-native', 'bin', 'tsc'), '--build', 'test']
  }
}

/**
 * Builds the named targets if their sources changed since the last build.
 * @param names - of `app`, `web`, `test`.
 */
export async function ensureBuilt(...names) {
  if (names.every(isFresh)) return
  await withLock('build', async () => {
    for (const name of names) {
      if (isFresh(name)) continue
      const { title, command, finish } = TARGETS[name]
      // Hash the sources before the build: if a file is saved meanwhile, the next start builds again.
      const content = contentHash(name)
      const quick = quickHash(name)
      if (readStamp(name)?.content !== content) {
        await step(title, () => run(command))
        await finish?.()
      }
      writeStamp(name, { quick, content })
    }
  })
}

const stampFile = name => at('dist', '.stamps', `${name}.json`)

/** Looks only at names, sizes and times, so that a start of something built costs milliseconds. */
function isFresh(name) {
  return readStamp(name)?.quick === quickHash(name)
}

function readStamp(name) {
  return existsSync(stampFile(name)) ? JSON.parse(readFileSync(stampFile(name), 'utf8')) : undefined
}

function writeStamp(name, stamp) {
  mkdirSync(at('dist', '.stamps'), { recursive: true })
  writeFileSync(stampFile(name), JSON.stringify(stamp))
}

function quickHash(name) {
  const hash = createHash('sha256')
  for (const file of sourcesOf(name)) {
    const { size, mtimeMs } = statSync(file)
    hash.update(`${relative(root, file)} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

function contentHash(name) {
  const hash = createHash('sha256')
  for (const file of sourcesOf(name)) hash.update(`${relative(root, file)}\n`).update(readFileSync(file))
  return hash.digest('hex')
}

function* sourcesOf(name) {
  for (const source of TARGETS[name].sources) yield* filesBelow(at(source))
}

function* filesBelow(path) {
  if (!existsSync(path)) return
  if (!statSync(path).isDirectory()) return void (yield path)
  for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) continue
    if (entry.isDirectory()) yield* filesBelow(join(path, entry.name))
    else if (entry.isFile()) yield join(path, entry.name)
  }
}

/**
 * Commands in a few files each: finding and loading the hundreds of modules one by one takes longer than most commands do, and
 * half of a node's start.
 */
const BUNDLES = {
  peer: ['peer/cli/main.js'],
  node: ['node/main.js', 'node/devnet/devnet-worker.js'],
  verify: ['chain/verify/main.js'],
  devnet: ['chain/devnet/main.js']
}
/** They find files beside their own. */
const NOT_BUNDLED = ['classic-level', '@emurgo/cardano-serialization-lib-nodejs', 'scalus']

async function bundleCommands() {
  rmSync(at('dist', 'bundled'), { recursive: true, force: true })
  const external = NOT_BUNDLED.flatMap(name => ['--external', name])
  await Promise.all(
    Object.entries(BUNDLES).map(([name, files]) => {
      const options = ['--platform', 'node', '--format', 'esm', '--entryFileNames', '[name].js', ...external]
      const inputs = files.map(file => at('dist', ...file.split('/')))
      return run([tool('rolldown', 'bin', 'cli.mjs'), ...inputs, ...options, '--dir', at('dist', 'bundled', name)])
    })
  )
}

async function run(command) {
  const child = spawn(pinnedNode, command, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (output += text))
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (code !== 0) throw new SetupError(`the build failed:\n${output.trim().split('\n').slice(0, MAX_LINES).join('\n')}`)
}

if (import.meta.filename === process.argv[1]) {
  try {
    await ensureInstalled()
    await ensureBuilt(...(process.argv.includes('--all') ? ['app', 'web', 'test'] : ['app', 'web']))
  } catch (error) {
    fail(error)
  }
}
