import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../../node/config/config-error.ts'
import { readConfig } from '../../../../node/config/config.ts'

const folder = mkdtempSync(join(tmpdir(), 'volo-production-'))

function file(name: string, mode: number): string {
  const path = join(folder, name)
  writeFileSync(path, 'secret')
  chmodSync(path, mode)
  return path
}

/** Settings with which a node may serve people whom its operator does not know. */
const SAFE = {
  VOLO_PRODUCTION: 'true',
  VOLO_PUBLIC_URL: 'https://node.example',
  VOLO_CHAIN_URL: 'https://chain.example/api/v0',
  VOLO_CHAIN_PROJECT_ID_FILE: file('project-id', 0o640),
  VOLO_SIGN_IN_PROVIDERS_FILE: file('providers.json', 0o600),
  VOLO_DEMO_SIGN_IN: 'false'
}

function refusal(change: Record<string, string | undefined>): string {
  try {
    readConfig([], { ...SAFE, ...change })
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  throw new Error('the configuration was accepted')
}

describe('production mode', () => {
  it('accepts safe settings', () => {
    expect(readConfig([], SAFE).production).toBe(true)
  })

  it.each([
    [{ VOLO_DEMO_SIGN_IN: 'true' }, 'VOLO_DEMO_SIGN_IN'],
    [{ VOLO_SIGN_IN_PROVIDERS_FILE: undefined }, 'VOLO_SIGN_IN_PROVIDERS_FILE'],
    [{ VOLO_CHAIN_URL: undefined }, 'VOLO_CHAIN_URL'],
    [{ VOLO_PUBLIC_URL: 'http://node.example' }, 'VOLO_PUBLIC_URL'],
    [{ VOLO_PUBLIC_URL: undefined }, 'VOLO_PUBLIC_URL'],
    [{ VOLO_WALLET_KEY_FILE: file('wallet.key', 0o644) }, `${join(folder, 'wallet.key')} (VOLO_WALLET_KEY_FILE)`],
    [{ VOLO_STORAGE_KEY_FILE: file('storage.key', 0o602) }, `${join(folder, 'storage.key')} (VOLO_STORAGE_KEY_FILE)`]
  ])('refuses %j, and names only that', (change, named) => {
    const said = refusal(change)
    expect(said).toContain(named)
    expect(said.split('\n')).toHaveLength(2)
  })

  it('needs no providers where people sign in with a wallet', () => {
    const environment = { ...SAFE, VOLO_SIGN_IN_PROVIDERS_FILE: undefined, VOLO_WALLET_SIGN_IN: 'true' }
    expect(readConfig([], environment).walletSignIn).toBe(true)
  })

  it('names all faults at once', () => {
    expect(
      refusal({ VOLO_CHAIN_URL: undefined, VOLO_PUBLIC_URL: undefined, VOLO_DEMO_SIGN_IN: 'true' }).split('\n')
    ).toHaveLength(4)
  })

  it('asks for nothing where it is off', () => {
    expect(readConfig([], { ...SAFE, VOLO_PRODUCTION: 'false', VOLO_DEMO_SIGN_IN: 'true' }).demoSignIn).toBe(true)
  })
})
