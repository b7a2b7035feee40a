import { defineConfig } from '@playwright/test'

const executablePath = process.env['VOLO_CHROMIUM']

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.ts',
  outputDir: '../../test-results/e2e',
  globalSetup: './support/build-fixture.ts',
  // Stories with real nodes wait more than they work; meanwhile the other worker checks screens.
  workers: 2,
  fullyParallel: false,
  retries: 0,
  timeout: 300_000,
  // A busy machine is slow, not wrong.
  expect: { timeout: 45_000 },
  reporter: [['list'], ['json', { outputFile: '../../test-results/e2e.json' }]],
  use: {
    browserName: 'chromium',
    viewport: { width: 1280, height: 800 },
    launchOptions: {
      ...(executablePath ? { executablePath } : {}),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync'
      ]
    }
  }
})
