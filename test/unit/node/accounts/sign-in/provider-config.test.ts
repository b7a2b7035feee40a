import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../../../node/config/config-error.ts'
import { readProviders } from '../../../../../node/accounts/sign-in/provider-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'volo-providers-'))

function fileOf(content: unknown): string {
  const file = join(folder, `${Math.random()}.json`)
  writeFileSync(file, JSON.stringify(content))
  return file
}

const withProvider = (provider: object) => fileOf({ providers: [provider] })

describe('sign-in providers', () => {
  it('completes a preset with what the operator was given', () => {
    const secret = join(folder, 'secret')
    writeFileSync(secret, 'shh\n')
    const [google, x] = readProviders(
      fileOf({
        providers: [
          { preset: 'google', clientId: 'id', clientSecretFile: secret },
          { preset: 'x', clientId: 'id', clientSecret: 'shh' }
        ]
      })
    )
    expect(google).toMatchObject({
      id: 'google',
      kind: 'oidc',
      issuer: 'https://accounts.google.com',
      clientSecret: 'shh'
    })
    expect(google!.demo).toBe(false)
    expect(x).toMatchObject({ id: 'x', kind: 'oauth2', subjectPath: 'data.id', authentication: 'basic' })
  })

  it('knows Discord, and Apple with a key in place of a secret', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const file = join(folder, 'apple.p8')
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
    writeFileSync(file, pem)
    const apple = { preset: 'apple', clientId: 'app', teamId: 'TEAM', keyId: 'KEY', privateKeyFile: file }
    const providers = readProviders(
      fileOf({ providers: [{ preset: 'discord', clientId: 'id', clientSecret: 's' }, apple] })
    )
    expect(providers[0]).toMatchObject({ id: 'discord', kind: 'oauth2', subjectPath: 'id', scope: 'identify' })
    expect(providers[1]).toMatchObject({
      id: 'apple',
      kind: 'oidc',
      authentication: 'apple',
      appleKey: { teamId: 'TEAM', keyId: 'KEY', privateKey: pem }
    })
    const { keyId: _gone, ...incomplete } = apple
    expect(() => readProviders(withProvider(incomplete))).toThrow('"keyId"')
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
    writeFileSync(file, other.export({ type: 'pkcs8', format: 'pem' }))
    expect(() => readProviders(withProvider(apple))).toThrow('P-256')
  })

  it('takes any other provider that is written out', () => {
    const provider = {
      id: 'club',
      name: 'The club',
      kind: 'oidc',
      issuer: 'https://login.club.example',
      clientId: 'id',
      authentication: 'none',
      scope: 'openid'
    }
    expect(readProviders(withProvider(provider))[0]).toMatchObject({ ...provider, clientSecret: undefined })
  })

  it.each([
    ['an unknown preset', { preset: 'gogle', clientId: 'id', clientSecret: 's' }, 'there is no preset "gogle"'],
    ['a missing secret', { preset: 'google', clientId: 'id' }, 'needs "clientSecret"'],
    ['a missing client id', { preset: 'google', clientSecret: 's' }, 'clientId'],
    ['an unknown field', { preset: 'google', clientId: 'id', clientSecret: 's', isuer: 'x' }, 'isuer'],
    [
      'an issuer in clear',
      { preset: 'google', clientId: 'id', clientSecret: 's', issuer: 'http://accounts.example' },
      'https'
    ],
    ['an id that is no path', { preset: 'google', id: '../x', clientId: 'id', clientSecret: 's' }, 'lower-case']
  ])('refuses %s', (_what, provider, message) => {
    expect(() => readProviders(withProvider(provider))).toThrow(ConfigError)
    expect(() => readProviders(withProvider(provider))).toThrow(message)
  })

  it('refuses two providers of one id, and a file that is none', () => {
    const google = { preset: 'google', clientId: 'id', clientSecret: 's' }
    expect(() => readProviders(fileOf({ providers: [google, google] }))).toThrow('the same id')
    expect(() => readProviders(join(folder, 'nowhere'))).toThrow(ConfigError)
  })
})
