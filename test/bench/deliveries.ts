import { countDeliveries, countGroupDeliveries, type DeliveryCount } from '../unit/protocol/session/delivery-count.ts'
import { report } from './report.ts'

/** Devices in the conversations of two people that are counted: they have no more than 64. */
const SIZES = [4, 16, 64]
/** Devices in the groups, two for each person. */
const GROUP_SIZES = [4, 16, 64, 250]
const BYTES_UP_PER_DEVICE = 1_400
/**
 * What reaches one device cannot be as little: its part holds an X-Wing ciphertext (1,120 bytes), and the body, which all share, the sender's
 * next X-Wing key (1,216 bytes), padded to 2,048. The sender hands in the body once, each device gets it whole.
 */
const BYTES_DOWN_PER_DEVICE = 3_800

/** Deliveries per device of a first message with its receipts and of each further one, and bytes of an opening. Counted, not timed. */
export async function benchDeliveries(): Promise<void> {
  const note = 'payload and parts of the Open with its first message, without the frames around them'
  for (const devices of SIZES) reportCount(`${devices}-devices`, devices, await countDeliveries(devices), note)
  const beside = `${note}; without the log of the group, which a new device gets beside it`
  for (const devices of GROUP_SIZES) {
    reportCount(`group-of-${devices}-devices`, devices, await countGroupDeliveries(devices), beside)
  }
}

function reportCount(
  name: string,
  devices: number,
  { hello, further, openUp, openDown }: DeliveryCount,
  note: string
): void {
  report(`hello-deliveries-${name}`, 'per device', hello / devices, { target: { atMost: 3 } })
  report(`further-deliveries-${name}`, 'per device', further / devices, { target: { atMost: 1.2 } })
  report(`open-up-${name}`, 'bytes per device', openUp / devices, {
    target: { atMost: BYTES_UP_PER_DEVICE },
    note
  })
  report(`open-down-${name}`, 'bytes per device', openDown, {
    target: { atMost: BYTES_DOWN_PER_DEVICE },
    note: `${note}; 2,336 of them are the two halves of X-Wing`
  })
}
