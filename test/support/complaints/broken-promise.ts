/** A node's receipt and its later denial of the same delivery, with the pieces to make neighbours of them that must not count. */
import type { SigningKey } from '../../../protocol/crypto/crypto.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import type { NetworkId } from '../../../protocol/network.ts'
import type { Complaint } from '../../../protocol/wire/complaint.ts'
import { custodyLeaf, signDenial, signReceipt, type Denial } from '../../../protocol/wire/custody.ts'
import type { DeliveryId } from '../../../protocol/wire/envelope.ts'
import { merkleTree } from '../../../protocol/wire/merkle.ts'
import type { NodeKey } from '../../../protocol/wire/placement.ts'
import { crypto, network, random } from '../network/in-process/fixtures.ts'

const HOUR_MS = 60 * 60_000
const DAY_MS = 24 * HOUR_MS
/** The node promised then: long enough ago for `volo-verify`, which looks at the machine's clock. */
export const PROMISED_AT = Date.now() - 2 * DAY_MS
/** It denies an hour later. */
export const DENIED_AT = PROMISED_AT + HOUR_MS
export const EXPIRY = PROMISED_AT + 30 * DAY_MS
/** Somebody judges a day later. */
export const JUDGED_AT = PROMISED_AT + DAY_MS

export interface PromiseChanges {
  key?: SigningKey
  network?: NetworkId
  mailbox?: DeviceId
  id?: DeliveryId
  promisedAt?: number
  denial?: Partial<Omit<Denial, 'version' | 'signature'>>
  denialKey?: SigningKey
}

export const newKey = (): Promise<SigningKey> => crypto.signingKeyFromSeed(random(32))

/** A complaint that holds, unless `changes` spoil it; everything is signed as it then says. */
export async function brokenPromise(changes: PromiseChanges = {}): Promise<Complaint> {
  const key = changes.key ?? (await newKey())
  const here = changes.network ?? network
  const node = key.publicKey as NodeKey
  const mailbox = changes.mailbox ?? (random(16) as DeviceId)
  const id = changes.id ?? (random(32) as DeliveryId)
  const leaves = [
    custodyLeaf(random(32) as DeliveryId, random(16) as DeviceId, EXPIRY),
    custodyLeaf(id, mailbox, EXPIRY),
    custodyLeaf(random(32) as DeliveryId, random(16) as DeviceId, EXPIRY)
  ]
  const time = changes.promisedAt ?? PROMISED_AT
  const receipt = await signReceipt(crypto, here, key, { node, epoch: 3, shard: 7, time }, leaves)
  const said = { node, epoch: 3, time: DENIED_AT, mailbox, id, expiry: EXPIRY, reason: 'unknown' as const }
  const denial = await signDenial(here, changes.denialKey ?? key, { ...said, ...changes.denial })
  const path = merkleTree(crypto, leaves).paths[1]!
  return { network: here, mailbox, id, expiry: EXPIRY, receipt: { receipt, index: 1, path }, denial }
}
