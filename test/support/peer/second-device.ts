import { fromHex, toHex } from '../../../protocol/bytes.ts'
import { buildAdd } from '../../../protocol/identity/build-record.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import { decodeRecord, encodeRecord, recordIdOf } from '../../../protocol/identity/record.ts'
import { DeviceKeys } from '../../../peer/store/device-keys.ts'
import { loadOwnAccount, ownAccountChange } from '../../../peer/store/own-account.ts'
import type { EntryChange } from '../../../peer/store/sealed-store.ts'
import { createSeedVault } from '../../../peer/store/seed-vault.ts'
import type { FakeNetwork } from '../network/fake/fake-network.ts'
import { TestPeer } from './test-peer.ts'
import { eventually } from '../wait-for.ts'

const noRandom = (): Uint8Array => {
  throw new Error('nothing is made here')
}

/**
 * A further device of an account as if it had been linked. It is running.
 * @param onApproving - before it is on the record.
 * @param joined - what it stores together with the account.
 */
export async function secondDevice(
  network: FakeNetwork,
  first: TestPeer,
  onApproving: (deviceId: DeviceId) => Promise<void> = async () => undefined,
  joined: (second: TestPeer) => EntryChange[] = () => []
): Promise<TestPeer> {
  const second = new TestPeer(network)
  second.clock = first.clock
  await second.start()
  // Makes its keys.
  await second.engine.account.startSignIn('demo', 'http://127.0.0.1:9/')
  await second.engine.stop()
  const store = await second.openStore()
  const keys = (await DeviceKeys.load(
    network.crypto,
    network.id,
    store,
    createSeedVault(network.crypto, store, noRandom)
  ))!
  const { accountId } = first.me
  const head = decodeRecord(network.ledger.lastRecordOf(accountId))
  const signer = {
    key: (await first.vault.load())!,
    deviceId: fromHex(first.me.deviceId) as DeviceId,
    prev: recordIdOf(network.crypto, network.id, head),
    time: network.now()
  }
  const added = await buildAdd(network.id, signer, keys.signingKey, keys.publicKeys.messagingKeyHash)
  await onApproving(keys.deviceId)
  network.ledger.addRecord(accountId, encodeRecord(added))
  const account = (await loadOwnAccount(await first.openStore()))!
  network.addDevice(keys.deviceId, account.accountId)
  await store.batch([ownAccountChange({ ...account, name: null }), ...joined(second)])
  await second.start()
  second.me = (await second.engine.snapshot()).me!
  await eventually(() => network.bundlesOf(toHex(keys.deviceId))[0] !== undefined, 'its keys are published')
  // From here on the first one writes to it, too.
  await first.engine.account.refresh(10_000).catch(() => undefined)
  return second
}
