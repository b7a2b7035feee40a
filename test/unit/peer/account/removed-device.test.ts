import { afterEach, describe, expect, test } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import { peerKeyState } from '../../../../protocol/session/conversation-keys.ts'
import { CLOCK_TOLERANCE_MS, PENDING_TTL_MS } from '../../../../protocol/limits.ts'
import { slots } from '../../../../peer/store/store-layout.ts'
import { StateStore } from '../../../../peer/store/state-store.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { secondDevice } from '../../../support/peer/second-device.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const running: TestPeer[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

describe('a removed device', () => {
  test('leaves no key behind with those it wrote to, and no session once nothing of it can be on its way', async () => {
    const network = await FakeNetwork.create()
    const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
    bob.speed = 20
    await ada.register('ada')
    await bob.register('bob')
    const tablet = await secondDevice(network, ada)
    running.push(ada, bob, tablet)
    const { id } = await tablet.send(bob, 'from the tablet')
    await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
    await eventually(
      async () => (await tablet.messages(bob)).some(shown => shown.id === id && shown.state !== 'waiting'),
      'sent'
    )
    const conversation = (await bob.engine.snapshot()).conversations[0]!.id
    const held = async () => {
      const states = new StateStore(await bob.openStore())
      const inbounds = await states.range('inbound', conversation, slots.inbound('', '').codec)
      const keys = await states.range('peer-key', conversation, peerKeyState)
      const ofTablet = ({ value }: { value: { senderDevice?: Uint8Array; deviceId?: Uint8Array } }): boolean =>
        toHex(value.senderDevice ?? value.deviceId!) === tablet.me.deviceId
      return [inbounds.filter(ofTablet).length, keys.filter(ofTablet).length]
    }
    expect(await held()).toEqual([1, 1])
    await ada.engine.devices.revoke(tablet.me.deviceId)
    await bob.engine.people.refresh(ada.me.accountId)
    await eventually(async () => (await held())[1] === 0, 'its key is gone')
    expect(await held()).toEqual([1, 0])
    bob.slept += PENDING_TTL_MS + 3 * CLOCK_TOLERANCE_MS
    await eventually(async () => (await held()).every(count => count === 0), 'nothing is left of it')
  })
})
