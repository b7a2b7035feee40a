/** Runs a file of HPKE vectors in the format of RFC 9180, appendix A (`test-vectors.json`). */
import { equalBytes } from '../../protocol/bytes.ts'
import { HPKE_AEAD_ID, HPKE_KDF_ID, HPKE_KEM_ID, HpkeContext, hpkeKeySchedule } from '../../protocol/crypto/hpke.ts'
import type { CryptoWithPrimitives } from '../../protocol/crypto/primitives.ts'
import { xWingEncapsulateDerandomised } from '../../protocol/crypto/x-wing.ts'
import { Fields, ShapeError } from './fields.ts'
import { check, failed, skipped, type Tally, type Verdict } from './verdict.ts'

/** Whether a JSON document is a list of HPKE vectors, or one of them. */
export function isHpke(document: unknown): boolean {
  return entriesOf(document).some(entry => typeof entry === 'object' && entry !== null && 'kem_id' in entry)
}

/** Runs every check of every entry. @throws ShapeError for a file without any. */
export async function runHpke(document: unknown, crypto: CryptoWithPrimitives, tally: Tally): Promise<void> {
  const entries = entriesOf(document)
  if (entries.length === 0) throw new ShapeError('no vectors in the file')
  for (const [index, entry] of entries.entries()) {
    try {
      await runEntry(new Fields(entry, 'a vector'), crypto, tally)
    } catch (error) {
      tally.add(failed(`vector ${index}: ${error instanceof Error ? error.message : String(error)}`))
    }
  }
}

function entriesOf(document: unknown): unknown[] {
  return Array.isArray(document) ? (document as unknown[]) : [document]
}

async function runEntry(entry: Fields, crypto: CryptoWithPrimitives, tally: Tally): Promise<void> {
  const encryptions = entry.has('encryptions') ? entry.list('encryptions') : []
  const exports = entry.has('exports') ? entry.list('exports') : []
  const unsupported = reasonToSkip(entry)
  if (unsupported !== undefined) {
    for (let i = 0; i < 3 + encryptions.length + exports.length; i++) tally.add(skipped(unsupported))
    return
  }
  tally.add(await runDecapsulation(entry, crypto))
  tally.add(await runEncapsulation(entry, crypto))
  tally.add(runKeySchedule(entry, crypto))
  const info = entry.bytes('info')
  const [sender, receiver] = [0, 1].map(
    () => new HpkeContext(crypto, hpkeKeySchedule(crypto, entry.bytes('shared_secret'), info))
  ) as [HpkeContext, HpkeContext]
  for (const value of encryptions) tally.add(runEncryption(new Fields(value, 'an encryption'), sender, receiver))
  for (const value of exports) tally.add(runExport(new Fields(value, 'an export'), receiver))
}

function reasonToSkip(entry: Fields): string | undefined {
  if (entry.integer('mode') !== 0) return 'only base mode is used'
  if (entry.integer('kem_id') !== HPKE_KEM_ID) return 'only the KEM X-Wing is used'
  if (entry.integer('kdf_id') !== HPKE_KDF_ID) return 'only HKDF-SHA-256 is used'
  if (entry.integer('aead_id') !== HPKE_AEAD_ID) return 'only ChaCha20-Poly1305 is used'
  return undefined
}

async function runDecapsulation(entry: Fields, crypto: CryptoWithPrimitives): Promise<Verdict> {
  const key = await crypto.messagingKeyFromSeed(entry.bytes('skRm'))
  if (!equalBytes(key.publicKey, entry.bytes('pkRm'))) return failed('wrong public key')
  return check(
    equalBytes(await key.decapsulate(entry.bytes('enc')), entry.bytes('shared_secret')),
    'wrong shared secret'
  )
}

async function runEncapsulation(entry: Fields, { primitives }: CryptoWithPrimitives): Promise<Verdict> {
  if (!primitives.mlKemEncapsulateDerandomised) return skipped('the platform draws the randomness of ML-KEM itself')
  const made = await xWingEncapsulateDerandomised(primitives, entry.bytes('pkRm'), entry.bytes('ikmE'))
  if (!equalBytes(made.ciphertext, entry.bytes('enc'))) return failed('wrong encapsulation')
  return check(equalBytes(made.sharedSecret, entry.bytes('shared_secret')), 'wrong encapsulated secret')
}

function runKeySchedule(entry: Fields, crypto: CryptoWithPrimitives): Verdict {
  const { key, baseNonce, exporterSecret } = hpkeKeySchedule(crypto, entry.bytes('shared_secret'), entry.bytes('info'))
  if (!equalBytes(key, entry.bytes('key'))) return failed('wrong key')
  if (!equalBytes(baseNonce, entry.bytes('base_nonce'))) return failed('wrong base nonce')
  return check(equalBytes(exporterSecret, entry.bytes('exporter_secret')), 'wrong exporter secret')
}

function runEncryption(encryption: Fields, sender: HpkeContext, receiver: HpkeContext): Verdict {
  const [associatedData, plaintext, ciphertext] = [
    encryption.bytes('aad'),
    encryption.bytes('pt'),
    encryption.bytes('ct')
  ]
  if (!equalBytes(sender.seal(associatedData, plaintext), ciphertext)) return failed('wrong ciphertext')
  return check(equalBytes(receiver.open(associatedData, ciphertext), plaintext), 'wrong plaintext')
}

function runExport(value: Fields, context: HpkeContext): Verdict {
  const exported = context.export(value.bytes('exporter_context'), value.integer('L'))
  return check(equalBytes(exported, value.bytes('exported_value')), 'wrong exported secret')
}
