import { describe, expect, it } from 'vitest'
import { askPasskey, makePasskey, offersPasskeys, type PasskeyPlatform } from '../../../web/src/lock/passkeys.ts'

const PASSKEY = { credentialId: 'c0ffee', salt: 'ab'.repeat(32) }

type Options = PublicKeyCredentialCreationOptions & PublicKeyCredentialRequestOptions

/** A browser whose authenticator answers with these extension results, in turn, or fails with an error of this name. */
function platform(...answers: (AuthenticationExtensionsPRFOutputs | undefined | string)[]) {
  const asked: Options[] = []
  const signalled: unknown[] = []
  const answer = async ({ publicKey }: { publicKey?: unknown } = {}) => {
    asked.push(publicKey as Options)
    const next = answers.shift()
    if (typeof next === 'string') throw new DOMException('no', next)
    const rawId = Uint8Array.of(0xc0, 0xff, 0xee).buffer
    return { rawId, getClientExtensionResults: () => ({ prf: next }) } as unknown as Credential
  }
  const made: PasskeyPlatform = {
    credentials: { create: answer, get: answer },
    credentialClass: { signalUnknownCredential: async options => void signalled.push(options) },
    hostname: 'volo.example',
    random: length => new Uint8Array(length).fill(7)
  }
  return { platform: made, asked, signalled }
}

const results = (length = 32) => ({ first: new Uint8Array(length).fill(9).buffer })

describe('a passkey', () => {
  it('is made so that only its owner, seen by the authenticator, can use it', async () => {
    const { platform: browser, asked } = platform({ enabled: true, results: results() })
    const { passkey, answer } = await makePasskey(browser, 'ada')
    expect(passkey).toEqual({ credentialId: 'c0ffee', salt: '07'.repeat(32) })
    expect(answer.expose()).toEqual(new Uint8Array(32).fill(9))
    expect(asked[0]).toMatchObject({
      attestation: 'none',
      authenticatorSelection: { userVerification: 'required' },
      user: { name: 'ada' }
    })
  })

  it('is asked once more where it answers only after it was made', async () => {
    const { platform: browser, asked } = platform({ enabled: true }, { results: results() })
    const { answer } = await makePasskey(browser, 'ada')
    expect(answer.expose()).toHaveLength(32)
    expect(asked[1]).toMatchObject({ userVerification: 'required', allowCredentials: [{ type: 'public-key' }] })
    expect(asked[1]!.extensions).toEqual({ prf: { eval: { first: new Uint8Array(32).fill(7) } } })
  })

  it.each([
    ['does not know the extension', [undefined], 'no-key'],
    ['refuses the extension', [{ enabled: false }], 'no-key'],
    ['promises a key and gives none', [{ enabled: true }, {}], 'no-key'],
    ['gives a key of another length', [{ enabled: true }, { results: results(16) }], 'no-key'],
    ['is made and then not touched', [{ enabled: true }, 'NotAllowedError'], 'refused']
  ] as const)(
    'that %s locks nothing, and password managers hear that it is of no use',
    async (_what, answers, problem) => {
      const { platform: browser, signalled } = platform(...answers)
      await expect(makePasskey(browser, 'ada')).rejects.toMatchObject({ problem })
      expect(signalled).toEqual([{ rpId: 'volo.example', credentialId: 'wP_u' }])
    }
  )

  it.each([
    ['NotAllowedError', 'refused'],
    ['AbortError', 'refused'],
    ['SecurityError', 'unusable'],
    ['NotSupportedError', 'unusable']
  ])('that ends in %s is told as: %s', async (name, problem) => {
    await expect(makePasskey(platform(name).platform, 'ada')).rejects.toMatchObject({ problem })
    await expect(askPasskey(platform(name).platform, PASSKEY)).rejects.toMatchObject({ problem })
  })

  it('is not offered where it cannot be', async () => {
    const { platform: browser } = platform()
    const says = (extension: Record<string, boolean>) => ({ getClientCapabilities: async () => extension })
    expect(await offersPasskeys(browser)).toBe(true)
    expect(await offersPasskeys({ ...browser, credentialClass: says({}) })).toBe(true)
    expect(await offersPasskeys({ ...browser, credentialClass: says({ 'extension:prf': false }) })).toBe(false)
    expect(await offersPasskeys({ ...browser, credentialClass: undefined })).toBe(false)
    expect(await offersPasskeys({ ...browser, credentials: undefined })).toBe(false)
    for (const hostname of ['127.0.0.1', '[::1]']) expect(await offersPasskeys({ ...browser, hostname })).toBe(false)
  })
})
