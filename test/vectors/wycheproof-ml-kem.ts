/** Wycheproof's four kinds of ML-KEM tests, as far as a backend can run them. */
import { equalBytes } from '../../protocol/bytes.ts'
import type { CryptoWithPrimitives } from '../../protocol/crypto/primitives.ts'
import type { Fields } from './fields.ts'
import { check, expectRefusal, failed, skipped, type Claim, type Verdict } from './verdict.ts'

/** Runs one test of ML-KEM-768. */
export async function runMlKemTest(
  crypto: CryptoWithPrimitives,
  group: Fields,
  test: Fields,
  claim: Claim
): Promise<Verdict> {
  if (group.text('parameterSet') !== 'ML-KEM-768') return skipped('only ML-KEM-768 is used')
  switch (group.text('type')) {
    case 'MLKEMTest':
      return runDecapsulation(crypto, test, claim)
    case 'MLKEMKeyGen':
      return runKeyGeneration(crypto, test, claim)
    case 'MLKEMEncapsTest':
      return runEncapsulation(crypto, test, claim)
    case 'MLKEMDecapsValidationTest':
      return skipped('keys are kept as seeds, expanded ones are never read')
    default:
      return skipped('unknown kind of ML-KEM test')
  }
}

/** From a seed: the public key, then the secret of a ciphertext. */
async function runDecapsulation({ primitives }: CryptoWithPrimitives, test: Fields, claim: Claim): Promise<Verdict> {
  const [seed, ciphertext] = [test.bytes('seed'), test.bytes('c')]
  if (claim === 'invalid') {
    return expectRefusal(async () => (await primitives.mlKemKeyFromSeed(seed)).decapsulate(ciphertext))
  }
  const key = await primitives.mlKemKeyFromSeed(seed)
  if (test.has('ek') && !equalBytes(key.publicKey, test.bytes('ek'))) return failed('wrong public key')
  return check(equalBytes(await key.decapsulate(ciphertext), test.bytes('K')), 'wrong shared secret')
}

/** The expanded secret key of the vector is not compared: no backend gives it out. */
async function runKeyGeneration({ primitives }: CryptoWithPrimitives, test: Fields, claim: Claim): Promise<Verdict> {
  const seed = test.bytes('seed')
  if (claim === 'invalid') return expectRefusal(() => primitives.mlKemKeyFromSeed(seed))
  const key = await primitives.mlKemKeyFromSeed(seed)
  return check(equalBytes(key.publicKey, test.bytes('ek')), 'wrong public key')
}

async function runEncapsulation({ primitives }: CryptoWithPrimitives, test: Fields, claim: Claim): Promise<Verdict> {
  const publicKey = test.bytes('ek')
  if (claim === 'invalid') return expectRefusal(() => primitives.mlKemEncapsulate(publicKey))
  if (!primitives.mlKemEncapsulateDerandomised) return skipped('the platform draws the randomness of ML-KEM itself')
  const { ciphertext, sharedSecret } = await primitives.mlKemEncapsulateDerandomised(publicKey, test.bytes('m'))
  if (!equalBytes(ciphertext, test.bytes('c'))) return failed('wrong ciphertext')
  return check(equalBytes(sharedSecret, test.bytes('K')), 'wrong shared secret')
}
