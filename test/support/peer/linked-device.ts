import { fromHex } from '../../../protocol/bytes.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import type { FakeNetwork } from '../network/fake/fake-network.ts'
import { secondDevice } from './second-device.ts'
import type { TestPeer } from './test-peer.ts'

/** A further device of an account that was linked: the first one ships its history to it. It is running. */
export async function linkedDevice(
  network: FakeNetwork,
  first: TestPeer,
  { granted = true }: { granted?: boolean } = {}
): Promise<TestPeer> {
  const by = fromHex(first.me.deviceId) as DeviceId
  const second = await secondDevice(
    network,
    first,
    async deviceId => {
      if (granted) await first.engine.linked.onApproving({ deviceId })
    },
    ({ engine }) => engine.linked.joinedChanges({ by })
  )
  const joined = second.engine.linked.onJoined()
  const device = { deviceId: fromHex(second.me.deviceId) as DeviceId, name: 'second' }
  if (granted) await first.engine.linked.onLinked(device)
  await joined
  return second
}
