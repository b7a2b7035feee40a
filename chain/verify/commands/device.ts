import { equalBytes, fromHex } from '../../../protocol/bytes.ts'
import { KEY_BYTES, MESSAGING_KEY_BYTES } from '../../../protocol/crypto/crypto.ts'
import type { AccountState, DeviceState } from '../../../protocol/directory/account.ts'
import { DEVICE_ID_BYTES, messagingKeyHash } from '../../../protocol/identity/device.ts'
import type { Invocation } from '../arguments.ts'
import { VerifyError } from '../errors.ts'
import { deviceFacts, deviceLine } from '../checks/facts.ts'
import { withSources, type Surroundings } from '../open-sources.ts'
import type { VerificationReport } from '../report/report.ts'
import { parseSubject } from '../checks/subject.ts'
import { verifyAccount, type VerifiedAccount } from '../checks/verify-account.ts'
import type { Verification } from '../checks/verification.ts'

/** `device <@name|id> <device>`: whether the device is one of the account's, and live. */
export function run(invocation: Invocation, surroundings: Surroundings): Promise<VerificationReport> {
  const [account, device] = invocation.positionals as [string, string]
  const subject = parseSubject(account)
  const wanted = parseDevice(device)
  return withSources(invocation, surroundings, async run => {
    const verified = await verifyAccount(run, subject)
    if (!verified) return run.report(0)
    const found = find(run, verified.state, wanted)
    if (!found) {
      run.checklist.absent('device', 'the device is one of the account', { about: subject.label })
      return run.report(verified.level)
    }
    run.checklist.pass('device', 'the device is one of the account', { about: subject.label })
    judgeLife(run, verified, found)
    return run.report(verified.level, { device: deviceFacts(found) }, [deviceLine(found)])
  })
}

/** @returns 16 bytes of an id, 32 of a signing key, or 1216 of a messaging key. @throws VerifyError `USAGE`. */
function parseDevice(text: string): Uint8Array {
  const lengths = [DEVICE_ID_BYTES, KEY_BYTES, MESSAGING_KEY_BYTES]
  if (/^[0-9a-f]+$/i.test(text) && lengths.includes(text.length / 2)) return fromHex(text.toLowerCase())
  const digits = lengths.map(length => 2 * length).join(', ')
  throw new VerifyError('USAGE', `a device is named by its id or a key of ${digits} hex digits`)
}

function find(run: Verification, { devices }: AccountState, wanted: Uint8Array): DeviceState | undefined {
  const { crypto, network } = run.init
  if (wanted.length === DEVICE_ID_BYTES) return devices.find(({ deviceId }) => equalBytes(deviceId, wanted))
  if (wanted.length === KEY_BYTES) return devices.find(({ keys }) => equalBytes(keys.signingKey, wanted))
  const hash = messagingKeyHash(crypto, network.id, wanted)
  // The key it has now: one that was rotated away is no longer the device's.
  return devices.find(device => equalBytes(device.messagingKeyHash, hash))
}

/** One source that shows a valid REVOKE is enough: it cannot be forged, and binds from when it is first seen. */
function judgeLife(run: Verification, { seen, subject }: VerifiedAccount, { deviceId }: DeviceState): void {
  const about = subject.label
  const { atHeight } = run.init.options
  const when = atHeight === undefined ? 'now' : `at block ${atHeight}`
  for (const { source, checked, later } of seen) {
    const stateOf = (account: AccountState): DeviceState | undefined =>
      account.devices.find(device => equalBytes(device.deviceId, deviceId))
    const revocation = stateOf(checked.account)?.revocation
    const coming = atHeight === undefined ? stateOf(later)?.revocation : null
    if (!revocation && !coming) continue
    const since = revocation?.order
      ? `in block ${revocation.order.blockHeight}`
      : 'by a record that waits to be recorded'
    const detail = `revoked ${since} (${(revocation ?? coming)!.reason})`
    run.checklist.absent('live', `the device is live ${when}`, { detail, source: source.name, about })
    return
  }
  run.checklist.pass('live', `the device is live ${when}`, { about })
}
