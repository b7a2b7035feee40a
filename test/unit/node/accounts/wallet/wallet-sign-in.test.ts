import { randomBytes } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { SignInService } from '../../../../../node/accounts/sign-in/sign-in-service.ts'
import { WALLET_CHALLENGE_TTL_MS, WalletSignIn } from '../../../../../node/accounts/wallet/wallet-sign-in.ts'
import { toHex } from '../../../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../../../protocol/crypto/backends/node-crypto.ts'
import type { DevicePublicKeys } from '../../../../../protocol/identity/device.ts'
import type { NetworkId } from '../../../../../protocol/network.ts'
import { silentLogger } from '../../../../support/silent-logger.ts'
import { WalletSigner, type WalletChanges } from '../../../../support/wallet-signer.ts'

const crypto = createNodeCrypto()
const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length))
const NETWORK = new Uint8Array(32).fill(1) as Uint8Array as NetworkId
const device = (fill: number): DevicePublicKeys => ({
  signingKey: new Uint8Array(32).fill(fill),
  messagingKeyHash: new Uint8Array(32).fill(fill)
})
const [ADA, MALLORY] = [device(2), device(3)]
const WHERE = { origin: 'https://volo.example', client: '192.0.2.1' }
const wallet = await WalletSigner.make()
const other = await WalletSigner.make(8)

let now: number
let signIn: SignInService
let wallets: WalletSignIn

beforeEach(() => {
  now = 1_800_000_000_000
  const components = { clock: () => now, random, logger: silentLogger }
  signIn = new SignInService({ ...components, providers: [] }, { nonceOf: () => '' })
  wallets = new WalletSignIn({ ...components, crypto, signIn }, { network: NETWORK, isMainnet: false })
})

async function attempt(
  changes: WalletChanges & { text?: (payload: string) => string; signer?: WalletSigner; address?: Uint8Array } = {},
  keys = ADA
): Promise<string> {
  const { text = payload => payload, signer = wallet, address = wallet.rewardAddress, ...rest } = changes
  const { nonce, payload } = wallets.challenge(ADA, wallet.rewardAddress, WHERE)
  const answer = await signer.sign(address, text(payload), rest)
  return wallets.finish(keys, { nonce, ...answer }, WHERE.client)
}

test('a wallet that signs the text gives a code for this device, which stands for the same person at every sign-in', async () => {
  const codes = [await attempt(), await attempt()]
  for (const code of codes) {
    expect(signIn.check(code, ADA)).toEqual({ provider: 'cardano', subject: toHex(wallet.rewardAddress.slice(1)) })
    expect(() => signIn.check(code, MALLORY)).toThrow(expect.objectContaining({ code: 'bad-code' }))
  }
})

test('the text says where, for which network and device, and until when', () => {
  const { nonce, payload, expiresAt } = wallets.challenge(ADA, wallet.rewardAddress, WHERE)
  expect(payload).toContain('At: https://volo.example')
  expect(payload).toContain(toHex(NETWORK))
  expect(payload).toContain(nonce)
  expect(payload).toContain(new Date(expiresAt).toISOString())
  expect(wallets.challenge(MALLORY, wallet.rewardAddress, WHERE).payload.split('\n')[3]).not.toBe(
    payload.split('\n')[3]
  )
})

const refusedAs = (attempted: Promise<string>, code: string) => expect(attempted).rejects.toMatchObject({ code })

test('another text is refused: another nonce, origin, device or end, an empty one, one with something behind it', async () => {
  for (const text of [
    (payload: string) => payload.replace(/Nonce: ../, 'Nonce: 00'),
    (payload: string) => payload.replace('volo.example', 'evil.example'),
    (payload: string) => payload.replace(/Device: ../, 'Device: 00'),
    (payload: string) => payload.replace(/Good until: 2/, 'Good until: 3'),
    (payload: string) => payload.replace(toHex(NETWORK), '00'.repeat(32)),
    (payload: string) => `${payload} `,
    () => ''
  ]) {
    await refusedAs(attempt({ text }), 'BAD_SIGNATURE')
  }
})

test('another address, another key, and a signature that does not hold are refused', async () => {
  await refusedAs(attempt({ address: wallet.paymentAddress }), 'BAD_SIGNATURE')
  await refusedAs(attempt({ address: other.rewardAddress, signer: other }), 'BAD_SIGNATURE')
  await refusedAs(attempt({ signer: other }), 'BAD_SIGNATURE')
  await refusedAs(attempt({ signature: new Uint8Array(64).fill(1) }), 'BAD_SIGNATURE')
  await refusedAs(attempt({ signedPayload: new Uint8Array(3) }), 'BAD_SIGNATURE')
})

test('an address of the other Cardano network is refused', async () => {
  const mainnet = new WalletSignIn({ crypto, clock: () => now, random, signIn }, { network: NETWORK, isMainnet: true })
  const { nonce, payload } = mainnet.challenge(ADA, wallet.rewardAddress, WHERE)
  const answer = await wallet.sign(wallet.rewardAddress, payload)
  await refusedAs(mainnet.finish(ADA, { nonce, ...answer }, WHERE.client), 'BAD_SIGNATURE')
})

test('a nonce serves one attempt, good or bad; an old one, a made-up one and one of another device serve none', async () => {
  const { nonce, payload } = wallets.challenge(ADA, wallet.rewardAddress, WHERE)
  const answer = await wallet.sign(wallet.rewardAddress, payload)
  const finish = (keys = ADA, used = nonce) => wallets.finish(keys, { nonce: used, ...answer }, WHERE.client)
  await finish()
  await refusedAs(finish(), 'bad-nonce')
  await refusedAs(finish(ADA, '00'.repeat(32)), 'bad-nonce')
  await refusedAs(attempt({}, MALLORY), 'bad-nonce')
  const late = wallets.challenge(ADA, wallet.rewardAddress, WHERE)
  now += WALLET_CHALLENGE_TTL_MS
  const signed = await wallet.sign(wallet.rewardAddress, late.payload)
  await refusedAs(wallets.finish(ADA, { nonce: late.nonce, ...signed }, WHERE.client), 'bad-nonce')
  const bad = wallets.challenge(ADA, wallet.rewardAddress, WHERE)
  await refusedAs(wallets.finish(ADA, { nonce: bad.nonce, ...signed }, WHERE.client), 'BAD_SIGNATURE')
  const good = await wallet.sign(wallet.rewardAddress, bad.payload)
  await refusedAs(wallets.finish(ADA, { nonce: bad.nonce, ...good }, WHERE.client), 'bad-nonce')
})
