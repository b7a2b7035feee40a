import { describe, expect, test } from 'vitest'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import { isSigned, parseFileSignature, signFile } from '../../../../protocol/signing/file-signature.ts'
import { allowedSignerLine, jwkOf, sshKeyLine } from '../../../../protocol/signing/key-forms.ts'

const crypto = createNodeCrypto()
const key = await crypto.signingKeyFromSeed(new Uint8Array(32).fill(1))
const hash = crypto.sha512(new TextEncoder().encode('hello\n'))
const armored = await signFile(key, hash)
const MALFORMED = expect.objectContaining({ code: 'MALFORMED' }) as Error

describe('a signed file', () => {
  test('has fixed bytes, as OpenSSH writes them', () => {
    // That OpenSSH takes it is shown with ssh-keygen, in test/unit/peer/cli/sign.test.ts.
    expect(armored).toBe(`-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgiojj3XQJ8ZX9UtstPLpdcspnCb
8dlBIb83SIAbQPb1wAAAAEZmlsZQAAAAAAAAAGc2hhNTEyAAAAUwAAAAtzc2gtZWQyNTUx
OQAAAECXQGb7S9sFiZERf9HseNiHNI9Uje0z91e/U+SyAQPMCBrgXcJ0K0tDbt7BUwr3UN
Ps2NBdUY/tFWq09WIsQPQP
-----END SSH SIGNATURE-----
`)
  })

  test('is known by its key, for its content and its namespace', async () => {
    const signature = parseFileSignature(armored)
    expect(signature).toMatchObject({ publicKey: key.publicKey, namespace: 'file' })
    expect(await isSigned(crypto, signature, hash)).toBe(true)
    expect(await isSigned(crypto, signature, crypto.sha512(new Uint8Array()))).toBe(false)
    expect(await isSigned(crypto, { ...signature, namespace: 'git' }, hash)).toBe(false)
    const other = await crypto.signingKeyFromSeed(new Uint8Array(32).fill(2))
    expect(await isSigned(crypto, { ...signature, publicKey: other.publicKey }, hash)).toBe(false)
  })

  test.each([
    '',
    'hello',
    armored.replace('BEGIN', 'BEGAN'),
    armored.replace('U1NI', 'U1NJ'),
    armored.replace(/\n.{10}/, '\n'),
    armored.replace('\n-----END', 'AAAA\n-----END')
  ])('is refused where a part is wrong: %j', text => {
    expect(() => parseFileSignature(text)).toThrow(MALFORMED)
  })

  test('is refused where it is too long', () => {
    expect(() => parseFileSignature('x'.repeat(5_000))).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }))
  })
})

test('a key has the forms of SSH, allowed signers and JWK', () => {
  const named = { publicKey: key.publicKey, deviceId: 'ab'.repeat(16), principal: 'ada' }
  const line = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c volo:ada:${'ab'.repeat(16)}`
  expect(sshKeyLine(named)).toBe(line)
  expect(allowedSignerLine(named)).toBe(`ada namespaces="file,git" ${line}`)
  expect(jwkOf(named)).toEqual({
    kty: 'OKP',
    crv: 'Ed25519',
    x: 'iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w',
    use: 'sig',
    alg: 'EdDSA',
    kid: 'ab'.repeat(16)
  })
})
