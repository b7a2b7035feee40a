/** Runs one file of the Wycheproof project (github.com/C2SP/wycheproof, `testvectors` and `testvectors_v1`). */
import { concatBytes, equalBytes } from '../../protocol/bytes.ts'
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, KEY_BYTES } from '../../protocol/crypto/crypto.ts'
import type { CryptoWithPrimitives } from '../../protocol/crypto/primitives.ts'
import { Fields, ShapeError } from './fields.ts'
import { runMlKemTest } from './wycheproof-ml-kem.ts'
import { ACCEPTABLE, check, expectRefusal, failed, skipped, type Claim, type Tally, type Verdict } from './verdict.ts'

/** Runs one test on one backend; `claim` is never "acceptable" here. */
export type TestRunner = (
  crypto: CryptoWithPrimitives,
  group: Fields,
  test: Fields,
  claim: Claim
) => Promise<Verdict> | Verdict

/** By algorithm, in capitals and without punctuation: the project has changed its spelling over the years. */
const RUNNERS = new Map<string, TestRunner>([
  ['EDDSA', runEdDsaTest],
  ['ED25519', runEdDsaTest],
  ['XDH', runXdhTest],
  ['X25519', runXdhTest],
  ['CHACHA20POLY1305', runChaChaTest],
  ['AESGCM', runAesGcmTest],
  ['HKDFSHA256', runHkdfTest],
  ['HMACSHA256', runHmacTest],
  ['PBKDF2HMACSHA512', runPbkdf2Test],
  ['MLKEM', runMlKemTest],
  ['MLKEM768', runMlKemTest]
])

/** Whether a JSON document announces itself as Wycheproof's. */
export function isWycheproof(document: unknown): boolean {
  return typeof document === 'object' && document !== null && 'algorithm' in document
}

/** The algorithm a file announces. @throws ShapeError */
export function wycheproofAlgorithm(document: unknown): string {
  return new Fields(document, 'the file').text('algorithm').slice(0, 60)
}

/** Whether a file has tests of Ed25519, which may not be skipped. Total. */
export function hasEd25519(document: unknown): boolean {
  try {
    const file = new Fields(document, 'the file')
    const name = normalise(file.text('algorithm'))
    if (name === 'ED25519') return true
    return (
      name === 'EDDSA' && file.list('testGroups').some(group => curveOf(new Fields(group, 'group')) !== 'edwards448')
    )
  } catch {
    return false
  }
}

/** Runs every test of a file. @throws ShapeError if the file as a whole is not what it should be. */
export async function runWycheproof(document: unknown, crypto: CryptoWithPrimitives, tally: Tally): Promise<void> {
  const file = new Fields(document, 'the file')
  const algorithm = file.text('algorithm')
  const run = RUNNERS.get(normalise(algorithm)) ?? (() => skipped('algorithm not used by Volo'))
  const groups = file.list('testGroups').map(group => new Fields(group, 'a test group'))
  let tests = 0
  for (const group of groups) {
    for (const test of group.list('tests')) {
      tests++
      tally.add(await runTest(run, crypto, group, test))
    }
  }
  if (tests === 0) throw new ShapeError('no tests in the file')
}

async function runTest(run: TestRunner, crypto: CryptoWithPrimitives, group: Fields, value: unknown): Promise<Verdict> {
  let name = 'a test'
  try {
    const test = new Fields(value, 'a test')
    if (test.has('tcId')) name = `test ${test.integer('tcId')}`
    const claim = test.text('result')
    if (claim === 'acceptable') return ACCEPTABLE
    if (claim !== 'valid' && claim !== 'invalid') throw new ShapeError('"result" is none of the known ones')
    const verdict = await run(crypto, group, test, claim)
    return verdict.kind === 'failed' ? failed(`${name}: ${verdict.reason}`) : verdict
  } catch (error) {
    return failed(`${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function normalise(algorithm: string): string {
  return algorithm.toUpperCase().replaceAll(/[^A-Z0-9/]/g, '')
}

function curveOf(group: Fields): string {
  const key = group.has('publicKey') ? 'publicKey' : 'key'
  return group.object(key).text('curve')
}

async function runEdDsaTest(crypto: CryptoWithPrimitives, group: Fields, test: Fields, claim: Claim): Promise<Verdict> {
  const curve = curveOf(group)
  if (curve === 'edwards448') return skipped('Ed448 is not used by Volo')
  if (curve !== 'edwards25519') return failed('unknown curve')
  const publicKey = group.object(group.has('publicKey') ? 'publicKey' : 'key').bytes('pk')
  const accepted = await crypto.verify(publicKey, test.bytes('msg'), test.bytes('sig'))
  return check(accepted === (claim === 'valid'), accepted ? 'accepted a bad signature' : 'refused a good signature')
}

async function runXdhTest(crypto: CryptoWithPrimitives, group: Fields, test: Fields, claim: Claim): Promise<Verdict> {
  if (group.text('curve') !== 'curve25519') return skipped('X448 is not used by Volo')
  if (group.has('type') && group.text('type') !== 'XdhComp')
    return skipped('keys are raw bytes here, not ASN.1, PEM or JWK')
  const agree = (): Promise<Uint8Array> => crypto.x25519(test.bytes('private'), test.bytes('public'))
  if (claim === 'invalid') return expectRefusal(agree)
  return check(equalBytes(await agree(), test.bytes('shared')), 'wrong shared secret')
}

async function runChaChaTest(crypto: CryptoWithPrimitives, _: Fields, test: Fields, claim: Claim): Promise<Verdict> {
  return runAead(
    test,
    claim,
    (key, nonce, plaintext, associatedData) => crypto.chachaSeal(key, nonce, plaintext, associatedData),
    (key, nonce, ciphertext, associatedData) => crypto.chachaOpen(key, nonce, ciphertext, associatedData)
  )
}

async function runAesGcmTest(crypto: CryptoWithPrimitives, _: Fields, test: Fields, claim: Claim): Promise<Verdict> {
  if (test.bytes('key').length !== KEY_BYTES) return skipped('only 256-bit keys are used')
  if (test.bytes('iv').length !== AEAD_NONCE_BYTES) return skipped('only 96-bit nonces are used')
  return runAead(
    test,
    claim,
    (key, nonce, plaintext, associatedData) => crypto.aesGcmSeal(key, nonce, plaintext, associatedData),
    (key, nonce, ciphertext, associatedData) => crypto.aesGcmOpen(key, nonce, ciphertext, associatedData)
  )
}

type AeadOperation = (
  key: Uint8Array,
  nonce: Uint8Array,
  input: Uint8Array,
  associatedData: Uint8Array
) => Uint8Array | Promise<Uint8Array>

async function runAead(test: Fields, claim: Claim, seal: AeadOperation, open: AeadOperation): Promise<Verdict> {
  const [key, nonce, associatedData] = [test.bytes('key'), test.bytes('iv'), test.bytes('aad')]
  const [plaintext, tag] = [test.bytes('msg'), test.bytes('tag')]
  const sealed = concatBytes(test.bytes('ct'), tag)
  // async, so that what a synchronous backend throws is a rejection as well.
  if (claim === 'invalid') return expectRefusal(async () => open(key, nonce, sealed, associatedData))
  if (tag.length !== AEAD_TAG_BYTES) return skipped('only full tags are used')
  if (!equalBytes(await seal(key, nonce, plaintext, associatedData), sealed)) return failed('wrong ciphertext')
  return check(equalBytes(await open(key, nonce, sealed, associatedData), plaintext), 'wrong plaintext')
}

async function runHkdfTest(crypto: CryptoWithPrimitives, _: Fields, test: Fields, claim: Claim): Promise<Verdict> {
  const derive = (): Uint8Array =>
    crypto.hkdfExpand(
      crypto.hkdfExtract(test.bytes('salt'), test.bytes('ikm')),
      test.bytes('info'),
      test.integer('size')
    )
  if (claim === 'invalid') return expectRefusal(derive)
  return check(equalBytes(derive(), test.bytes('okm')), 'wrong output')
}

function runHmacTest(crypto: CryptoWithPrimitives, group: Fields, test: Fields, claim: Claim): Verdict {
  const tag = test.bytes('tag')
  if (tag.length !== group.integer('tagSize') / 8) return check(claim === 'invalid', 'tag is not of its announced size')
  const mac = crypto.hmacSha256(test.bytes('key'), test.bytes('msg'))
  const matches = tag.length <= mac.length && equalBytes(mac.subarray(0, tag.length), tag)
  return check(matches === (claim === 'valid'), matches ? 'accepted a bad tag' : 'wrong tag')
}

async function runPbkdf2Test(crypto: CryptoWithPrimitives, _: Fields, test: Fields, claim: Claim): Promise<Verdict> {
  const derive = (): Promise<Uint8Array> =>
    crypto.pbkdf2Sha512(
      test.bytes('password'),
      test.bytes('salt'),
      test.integer('iterationCount'),
      test.integer('dkLen')
    )
  if (claim === 'invalid') return expectRefusal(derive)
  return check(equalBytes(await derive(), test.bytes('dk')), 'wrong output')
}
