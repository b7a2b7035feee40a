/**
 * `npm run mutation -- ROOM [FILE…]`: changes the code of a room in small ways, and looks whether its tests notice. Stryker is no
 * dependency of the project: it is installed into .cache/mutation once.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { at } from './checkout.js'

const VERSION = '10.1.1'
const STRYKER = ['@stryker-mutator/core', '@stryker-mutator/vitest-runner']
/** Of the mutants, in percent, that tests have to notice. */
const MUST_KILL = 90
const TEST_TIMEOUT_MS = 20_000

/** What is changed, and the tests that should notice. */
const ROOMS = {
  session: { code: ['protocol/session/*.ts'], tests: ['test/unit/protocol/session/*.test.ts'] },
  roster: { code: ['protocol/roster/*.ts'], tests: ['test/unit/protocol/roster/*.test.ts'] },
  groups: { code: ['protocol/groups/*.ts'], tests: ['test/unit/protocol/groups/*.test.ts'] },
  safety: {
    code: ['protocol/conversation/verification-code.ts', 'protocol/conversation/safety-number.ts'],
    tests: [
      'test/unit/protocol/conversation/verification-code.test.ts',
      'test/unit/protocol/conversation/safety*.test.ts'
    ]
  }
}

const folder = at('.cache', 'mutation')
const inFolder = (...path) => join(folder, 'node_modules', ...path)

function install() {
  if (STRYKER.every(name => existsSync(inFolder(name)))) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'mutation', private: true }))
  const specs = STRYKER.map(name => `${name}@${VERSION}`)
  const flags = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--legacy-peer-deps']
  execFileSync('npm', ['install', ...flags, ...specs], { cwd: folder, stdio: 'inherit' })
}

/** The tests run on the project's own vitest. */
function shareTestRunner() {
  for (const name of ['vitest', 'vite']) {
    rmSync(inFolder(name), { recursive: true, force: true })
    symlinkSync(at('node_modules', name), inFolder(name))
  }
}

function writeConfig({ code, tests }, files) {
  const setupFiles = ['test/support/compare-secrets.ts']
  const vitest = { test: { include: tests, environment: 'node', setupFiles, testTimeout: TEST_TIMEOUT_MS } }
  writeFileSync(join(folder, 'vitest.config.mjs'), `export default ${JSON.stringify(vitest)}\n`)
  writeFileSync(
    join(folder, 'stryker.json'),
    JSON.stringify({
      testRunner: 'vitest',
      plugins: [inFolder('@stryker-mutator', 'vitest-runner', 'dist', 'src', 'index.js')],
      mutate: files.length > 0 ? files : code,
      vitest: { configFile: '.cache/mutation/vitest.config.mjs', related: false },
      tempDirName: '.cache/mutation/tmp',
      ignorePatterns: [
        'dist',
        'dist-*',
        'web',
        'docs',
        'docker',
        'test-results',
        'coverage',
        '.data',
        '.cache/bench-peers'
      ],
      reporters: ['clear-text'],
      clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
      coverageAnalysis: 'perTest',
      // A change of a constant needs every test of the room: most of the time, for a few mutants.
      ignoreStatic: true,
      concurrency: 2,
      // The size of random inputs changes how long a property takes: only a hang is a time-out.
      timeoutMS: 30_000,
      thresholds: { high: MUST_KILL, low: MUST_KILL, break: MUST_KILL }
    })
  )
}

const [room, ...files] = process.argv.slice(2)
if (room === undefined || !Object.hasOwn(ROOMS, room)) {
  process.stderr.write(
    `mutation: name one of ${Object.keys(ROOMS).join(', ')}, then files of it if not all are meant\n`
  )
  process.exit(2)
}
install()
shareTestRunner()
writeConfig(ROOMS[room], files)
const stryker = inFolder('@stryker-mutator', 'core', 'bin', 'stryker.js')
const run = spawnSync(process.execPath, [stryker, 'run', join('.cache', 'mutation', 'stryker.json')], {
  cwd: at('.'),
  stdio: 'inherit'
})
process.exitCode = run.status ?? 1
