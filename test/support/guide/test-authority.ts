/**
 * A certificate authority that only the tests trust: real X.509, so that programs of other people (nginx, Caddy) read it too.
 * Written by hand because Node.js signs no certificates and not every machine has openssl.
 */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

const DAY_MS = 24 * 60 * 60 * 1000
const LIFE_DAYS = 30

const OID = {
  commonName: [0x55, 0x04, 0x03],
  basicConstraints: [0x55, 0x1d, 0x13],
  subjectAltName: [0x55, 0x1d, 0x11],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]
}

/** A certificate and its key, both PEM. */
export interface Certificate {
  certificate: string
  key: string
}

/** Issues certificates for this machine, under a root that a test hands to the programs that shall trust it. */
export class TestAuthority {
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  readonly #name = `Volo test authority ${randomBytes(4).toString('hex')}`
  /** PEM. */
  readonly root = this.#certify(this.#name, this.#keys.publicKey, [
    extension(OID.basicConstraints, sequence(Buffer.from([0x01, 0x01, 0xff])), true)
  ])

  /** A certificate for `localhost` and 127.0.0.1. */
  issue(): Certificate {
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const names = sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])))
    const certificate = this.#certify('localhost', keys.publicKey, [extension(OID.subjectAltName, names, false)])
    return { certificate, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
  }

  #certify(subject: string, key: KeyObject, extensions: Buffer[]): string {
    const algorithm = sequence(objectId(OID.ecdsaWithSha256))
    const body = sequence(
      der(0xa0, der(0x02, Buffer.from([2]))),
      der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
      algorithm,
      name(this.#name),
      sequence(time(Date.now() - DAY_MS), time(Date.now() + LIFE_DAYS * DAY_MS)),
      name(subject),
      key.export({ type: 'spki', format: 'der' }),
      der(0xa3, sequence(...extensions))
    )
    const signature = sign('sha256', body, this.#keys.privateKey)
    return pem(sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.of(0), signature]))))
  }
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, Buffer.concat(parts))
const objectId = (bytes: number[]): Buffer => der(0x06, Buffer.from(bytes))
const name = (common: string): Buffer =>
  sequence(der(0x31, sequence(objectId(OID.commonName), der(0x0c, Buffer.from(common)))))

/** UTCTime: `YYMMDDHHMMSSZ`. */
const time = (at: number): Buffer =>
  der(0x17, Buffer.from(`${new Date(at).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`))

const extension = (id: number[], value: Buffer, isCritical: boolean): Buffer =>
  sequence(objectId(id), ...(isCritical ? [Buffer.from([0x01, 0x01, 0xff])] : []), der(0x04, value))

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g)!
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
