// What Signal's published client costs, with in-memory stores that serialise every session, as an app's would.
// Usage: node libsignal.js <node_modules folder> ; prints one JSON object.
import { randomBytes, randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const S = createRequire(join(process.argv[2], 'package.json'))('@signalapp/libsignal-client')
const payload32 = new Uint8Array(randomBytes(32))
const payload1k = new Uint8Array(randomBytes(1024))

class Sessions extends S.SessionStore {
  records = new Map()
  async saveSession(address, record) {
    this.records.set(`${address.name()}.${address.deviceId()}`, record.serialize())
  }
  async getSession(address) {
    const bytes = this.records.get(`${address.name()}.${address.deviceId()}`)
    return bytes ? S.SessionRecord.deserialize(bytes) : null
  }
  async getExistingSessions(addresses) {
    return Promise.all(addresses.map(address => this.getSession(address)))
  }
}

class Identities extends S.IdentityKeyStore {
  known = new Map()
  constructor(pair) {
    super()
    this.pair = pair
  }
  async getIdentityKey() {
    return this.pair.privateKey
  }
  async getIdentityKeyPair() {
    return this.pair
  }
  async getLocalRegistrationId() {
    return 5
  }
  async saveIdentity(address, key) {
    this.known.set(address.name(), key)
    return 0
  }
  async isTrustedIdentity() {
    return true
  }
  async getIdentity(address) {
    return this.known.get(address.name()) ?? null
  }
}

class PreKeys extends S.PreKeyStore {
  records = new Map()
  async savePreKey(id, record) {
    this.records.set(id, record)
  }
  async getPreKey(id) {
    return this.records.get(id)
  }
  async removePreKey() {}
}

class SignedPreKeys extends S.SignedPreKeyStore {
  records = new Map()
  async saveSignedPreKey(id, record) {
    this.records.set(id, record)
  }
  async getSignedPreKey(id) {
    return this.records.get(id)
  }
}

class KyberPreKeys extends S.KyberPreKeyStore {
  records = new Map()
  async saveKyberPreKey(id, record) {
    this.records.set(id, record)
  }
  async getKyberPreKey(id) {
    return this.records.get(id)
  }
  async markKyberPreKeyUsed() {}
}

function makeDevice(name) {
  const identity = S.IdentityKeyPair.generate()
  const signed = S.PrivateKey.generate()
  const once = S.PrivateKey.generate()
  const kyber = S.KEMKeyPair.generate()
  const signedSignature = identity.privateKey.sign(signed.getPublicKey().serialize())
  const kyberSignature = identity.privateKey.sign(kyber.getPublicKey().serialize())
  const device = {
    address: S.ProtocolAddress.new(name, 1),
    sessions: new Sessions(),
    identities: new Identities(identity),
    preKeys: new PreKeys(),
    signedPreKeys: new SignedPreKeys(),
    kyberPreKeys: new KyberPreKeys()
  }
  device.preKeys.records.set(1, S.PreKeyRecord.new(1, once.getPublicKey(), once))
  device.signedPreKeys.records.set(
    1,
    S.SignedPreKeyRecord.new(1, Date.now(), signed.getPublicKey(), signed, signedSignature)
  )
  device.kyberPreKeys.records.set(1, S.KyberPreKeyRecord.new(1, Date.now(), kyber, kyberSignature))
  device.bundle = S.PreKeyBundle.new(
    5, 1, 1, once.getPublicKey(), 1, signed.getPublicKey(), signedSignature, identity.publicKey, 1, kyber.getPublicKey(), kyberSignature
  ) // prettier-ignore
  return device
}

const encrypt = (from, to, bytes) => S.signalEncrypt(bytes, to.address, from.address, from.sessions, from.identities)

async function open(from, to) {
  await S.processPreKeyBundle(to.bundle, to.address, from.address, from.sessions, from.identities)
  return encrypt(from, to, payload32)
}

/** Median CPU microseconds of `rounds` runs, after `warmUp` that do not count. */
async function cpu(run, rounds, warmUp) {
  const samples = []
  for (let i = 0; i < warmUp; i++) await run()
  for (let i = 0; i < rounds; i++) {
    const before = process.cpuUsage()
    await run()
    const used = process.cpuUsage(before)
    samples.push(used.user + used.system)
  }
  return samples.sort((a, b) => a - b)[rounds >> 1]
}

const sender = makeDevice(randomUUID())
const receivers = Array.from({ length: 1000 }, () => makeDevice(randomUUID()))
const figures = {}
for (const count of [10, 100, 1000]) {
  const run = async () => {
    sender.sessions = new Sessions()
    for (const receiver of receivers.slice(0, count)) await open(sender, receiver)
  }
  figures[`open${count}`] = await cpu(run, count === 1000 ? 3 : 7, Math.max(1, 400 / count))
}

const receiver = receivers[5]
const first = await open(sender, receiver)
await S.signalDecryptPreKey(
  S.PreKeySignalMessage.deserialize(first.serialize()),
  sender.address,
  receiver.address,
  receiver.sessions,
  receiver.identities,
  receiver.preKeys,
  receiver.signedPreKeys,
  receiver.kyberPreKeys
)
const reply = await encrypt(receiver, sender, payload32)
await S.signalDecrypt(
  S.SignalMessage.deserialize(reply.serialize()),
  receiver.address,
  sender.address,
  sender.sessions,
  sender.identities
)

const MESSAGES = 1000
let encrypted = []
figures.encrypt1k =
  (await cpu(
    async () => {
      encrypted = []
      for (let i = 0; i < MESSAGES; i++) encrypted.push((await encrypt(sender, receiver, payload1k)).serialize())
    },
    1,
    0
  )) / MESSAGES
figures.decrypt1k =
  (await cpu(
    async () => {
      for (const bytes of encrypted) {
        const message = S.SignalMessage.deserialize(bytes)
        await S.signalDecrypt(message, sender.address, receiver.address, receiver.sessions, receiver.identities)
      }
    },
    1,
    0
  )) / MESSAGES
console.log(JSON.stringify(figures))
