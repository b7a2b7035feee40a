import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../../node/config/config-error.ts'
import { describeConfig, describeSettings, readConfig } from '../../../../node/config/config.ts'
import { flagOf, SETTING_NAMES, SETTINGS } from '../../../../node/config/settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'volo-config-'))

function fileOf(content: unknown): string {
  const file = join(folder, `${Math.random()}.json`)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

function problem(flags: string[], env: Record<string, string> = {}): string {
  try {
    readConfig(flags, env, '/srv')
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  throw new Error('the configuration was accepted')
}

describe('configuration', () => {
  it('takes flags before the environment, the environment before the file, the file before defaults', () => {
    const file = fileOf({ port: 1, host: 'file', logLevel: 'error', maxClients: 7 })
    const env = { VOLO_CONFIG_FILE: file, VOLO_PORT: '2', VOLO_HOST: 'environment' }
    const config = readConfig(['--port', '3'], env)
    expect(config).toMatchObject({ port: 3, host: 'environment', logLevel: 'error', maxClients: 7, adminPort: 9464 })
    expect(config.sources).toMatchObject({ port: 'flag', host: 'environment', logLevel: 'file', adminPort: 'default' })
  })

  it('listens on loopback at the default port unless told otherwise', () => {
    expect(readConfig([], {})).toMatchObject({ host: '127.0.0.1', port: 8787, sources: { port: 'default' } })
  })

  it("honours PORT, which hosts set, as somebody's explicit wish, and VOLO_PORT before it", () => {
    expect(readConfig([], { PORT: '3000' })).toMatchObject({ port: 3000, sources: { port: 'environment' } })
    expect(readConfig([], { PORT: '3000', VOLO_PORT: '4000' }).port).toBe(4000)
    expect(readConfig([], { PORT: '' }).sources.port).toBe('default')
  })

  it('makes paths absolute, from the folder it was started in', () => {
    expect(readConfig(['--data', 'here', '--web-dir=/app'], {}, '/srv')).toMatchObject({
      dataDir: '/srv/here',
      webDir: '/app'
    })
  })

  it.each([
    [['--port', '70000'], {}, '--port: expected a whole number from 0 to 65535, got "70000".'],
    [['--port', 'x'], {}, '--port: expected a whole number from 0 to 65535, got "x".'],
    [['--port'], {}, '--port needs a value.'],
    [['--prot', '1'], {}, 'Unknown argument "--prot"; "volo-node --help" lists all settings.'],
    [['--public-url', 'node.example'], {}, '--public-url: expected an origin'],
    [['--public-url', 'https://node.example/path'], {}, '--public-url: expected an origin'],
    [['--public-url', 'https://user@node.example'], {}, '--public-url: expected an origin'],
    [['--public-url', 'https://node.example:0'], {}, '--public-url: expected an origin that browsers accept'],
    [['--public-url', 'https://node.example:6667'], {}, '--public-url: expected an origin that browsers accept'],
    [['--public-url', 'https://node.example.'], {}, '--public-url: expected an origin that browsers accept'],
    [['--public-url', 'https://.'], {}, '--public-url: expected an origin'],
    [[], { VOLO_LOG_LEVEL: 'loud' }, 'VOLO_LOG_LEVEL: Invalid option'],
    [[], { VOLO_TRUST_PROXY: 'perhaps' }, 'VOLO_TRUST_PROXY: '],
    [[], { VOLO_LINK_LISTEN: 'tcp://0.0.0.0:4001' }, 'VOLO_LINK_LISTEN: expected such as /ip4/0.0.0.0/tcp/4001'],
    [['--config', '/nowhere.json'], {}, 'Cannot read the configuration file from /nowhere.json (ENOENT)'],
    [['--config', fileOf('{')], {}, 'is not JSON'],
    [['--config', fileOf([])], {}, 'must hold one JSON object'],
    [['--config', fileOf({ prot: 1 })], {}, 'has an unknown setting "prot"'],
    [['--config', fileOf({ port: 'x' })], {}, '"port" in the configuration file: expected a whole number']
  ])('refuses %j with one sentence', (flags, env, message) => {
    const said = problem(flags, env as Record<string, string>)
    expect(said).toContain(message)
    expect(said).not.toContain('\n')
  })

  it('reads the project id from its file, and refuses two of them', () => {
    const file = fileOf('preprodSECRET\n')
    expect(readConfig([], { VOLO_CHAIN_PROJECT_ID_FILE: file }).chainProjectId).toBe('preprodSECRET')
    expect(readConfig([], { VOLO_SECOND_CHAIN_PROJECT_ID_FILE: file }).secondChainProjectId).toBe('preprodSECRET')
    const both = { VOLO_CHAIN_PROJECT_ID_FILE: file, VOLO_CHAIN_PROJECT_ID: 'preprodOTHER' }
    expect(problem([], both)).toContain('keep one of them')
  })

  it('never prints a secret', () => {
    const config = readConfig([], { VOLO_CHAIN_PROJECT_ID: 'preprodSECRET' })
    expect(describeConfig(config)).toMatch(/chainProjectId +\(hidden\) {2}\[environment\]/)
    expect(describeConfig(config)).not.toContain('SECRET')
    expect(problem([], { VOLO_CHAIN_PROJECT_ID: 'SECRET'.repeat(1000) })).not.toContain('SECRET')
  })

  it('notices variables that are no settings, but leaves those of other commands alone', () => {
    const env = { VOLO_PROT: '1', VOLO_PASSPHRASE_FILE: 'x', VOLO_CHROMIUM: 'y' }
    expect(readConfig([], env).unknownVariables).toEqual(['VOLO_PROT'])
  })

  it('explains every setting: flag, variable, meaning and default', () => {
    const help = describeSettings()
    for (const name of SETTING_NAMES) {
      for (const text of [flagOf(name), SETTINGS[name].env[0], SETTINGS[name].help, SETTINGS[name].fallback]) {
        expect(help).toContain(text)
      }
    }
  })
})
