import { describe, expect, it } from 'vitest'
import { signPeerAuthentication, verifyPeerAuthentication } from '../../../../protocol/identity/peer-authentication.ts'
import { CLOCK_TOLERANCE_MS } from '../../../../protocol/limits.ts'
import {
  bytesOf,
  castDevice,
  CHAIN_START as NOW,
  crypto,
  network,
  otherNetwork
} from '../../../support/directory/cast.ts'

const device = await castDevice('ada1')
const authentication = {
  nodeKey: bytesOf('node'),
  clientPeerKey: bytesOf('client'),
  nonce: bytesOf('nonce'),
  deviceId: device.deviceId,
  time: NOW
}
const signature = await signPeerAuthentication(network, device.key, authentication)

describe("a device's proof to a node", () => {
  it('holds for the connection it was made for', async () => {
    await verifyPeerAuthentication(crypto, network, device.keys.signingKey, authentication, signature, NOW)
  })

  it('does not hold with any part changed', async () => {
    const other = await castDevice('ada2')
    const changes = [
      { nodeKey: bytesOf('other') },
      { clientPeerKey: bytesOf('other') },
      { nonce: bytesOf('other') },
      { deviceId: other.deviceId },
      { time: NOW + 1 }
    ]
    for (const change of changes) {
      const verified = verifyPeerAuthentication(
        crypto,
        network,
        device.keys.signingKey,
        { ...authentication, ...change },
        signature,
        NOW
      )
      await expect(verified).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
    }
    await expect(
      verifyPeerAuthentication(crypto, otherNetwork, device.keys.signingKey, authentication, signature, NOW)
    ).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
  })

  it('is refused when the clocks are too far apart, either way', async () => {
    for (const apart of [-1, 1]) {
      const now = NOW + apart * (CLOCK_TOLERANCE_MS + 1)
      await expect(
        verifyPeerAuthentication(crypto, network, device.keys.signingKey, authentication, signature, now)
      ).rejects.toMatchObject({ code: 'EXPIRED' })
    }
  })
})
