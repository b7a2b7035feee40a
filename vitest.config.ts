import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'
import { SlowestFirst } from './test/support/slowest-first.ts'

/** Components, and the runes beside them, which only Vite can load. */
const WEB = 'test/unit/web/**/*.test.ts'

/** Node loads the code itself: it strips types in a third of the time, and a call into another module is an ordinary call. */
const NATIVE = { viteModuleRunner: false }

const UNIT = {
  environment: 'node',
  // Files share a worker's modules: to load these for each file costs as much as a third of all tests.
  isolate: false,
  restoreMocks: true,
  unstubGlobals: true
} as const

/** Files that replace a module of ours, and so cannot share modules with others. */
const MOCKING = ['test/integration/node/custody-mutants.test.ts']

export default defineConfig({
  plugins: [svelte({ configFile: false })],
  test: {
    // Two cores: more workers only add noise to tests that start processes.
    maxWorkers: 2,
    sequence: { sequencer: SlowestFirst },
    // A busy machine is slow, not wrong: these limits only end tests that hang.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    setupFiles: ['test/support/compare-secrets.ts'],
    projects: [
      {
        extends: true,
        test: {
          ...UNIT,
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/adversary/**/*.test.ts'],
          exclude: [WEB],
          experimental: NATIVE
        }
      },
      { extends: true, test: { ...UNIT, name: 'unit-web', include: [WEB] } },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: MOCKING,
          environment: 'node',
          isolate: false,
          experimental: NATIVE
        }
      },
      {
        extends: true,
        test: { name: 'integration-mocked', include: MOCKING, environment: 'node' }
      }
    ]
  }
})
