import { countDeliveries } from '../unit/protocol/session/delivery-count.ts'
import { report } from './report.ts'

/** Devices in the conversations that are counted. */
const SIZES = [4, 16, 64]
/** A conversation of two accounts has at most 64 devices, and this bench has no others. */
const NOT_RUN = 250
const BYTES_PER_DEVICE = 1_400

/** Deliveries per device of a first message with its receipts and of each further one, and bytes of an opening. Counted, not timed. */
export async function benchDeliveries(): Promise<void> {
  const note = 'payload and parts of the Open with its first message, without the frames around them'
  const bytes = { target: { atMost: BYTES_PER_DEVICE }, note }
  for (const devices of SIZES) {
    const { hello, further, openUp, openDown } = await countDeliveries(devices)
    report(`hello-deliveries-${devices}-devices`, 'per device', hello / devices, { target: { atMost: 3 } })
    report(`further-deliveries-${devices}-devices`, 'per device', further / devices, { target: { atMost: 1.2 } })
    report(`open-up-${devices}-devices`, 'bytes per device', openUp / devices, bytes)
    report(`open-down-${devices}-devices`, 'bytes per device', openDown, bytes)
  }
  report(`hello-deliveries-${NOT_RUN}-devices`, 'per device', null, {
    target: { atMost: 3 },
    note: 'not run: a conversation of two accounts has at most 64 devices'
  })
}
