import { expect, test } from 'vitest'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import type { EngineContext } from '../../../../peer/engine-context.ts'
import {
  beginTransfer,
  HistoryTransfer,
  type HistoryTransferComponents
} from '../../../../peer/own-devices/history-transfer.ts'
import { SILENT_LOG } from '../../../../peer/ports.ts'
import { ownDeviceSlots } from '../../../../peer/store/own-device-slots.ts'
import { ManualTimers } from '../../../support/clock/manual-timers.ts'
import { memoryStates } from '../../../support/peer/memory-states.ts'

/** A new device that waits for the other one's session. */
async function waiting(say: () => Promise<boolean>) {
  const { states, random } = await memoryStates()
  const timers = new ManualTimers(1_000_000)
  const nothing = (): void => undefined
  const transfer = new HistoryTransfer({
    context: { timers, random, log: SILENT_LOG } as unknown as EngineContext,
    states,
    pairs: { say },
    merge: {},
    notesId: () => random(32),
    onChange: nothing,
    onEnd: nothing
  } as unknown as HistoryTransferComponents)
  const state = beginTransfer({ random, timers } as unknown as EngineContext, random(16) as DeviceId)
  await states.unit(async unit => unit.write(ownDeviceSlots.historyTransfer(), state))
  await transfer.start()
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      timers.pass(1_000)
      // What it does by then is with the store.
      await states.unit(() => Promise.resolve())
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  return { transfer, pass }
}

test('asks within two seconds after the session of the other device has come, however late that is', async () => {
  let isThere = false
  let asked = 0
  const { transfer, pass } = await waiting(() => {
    if (isThere) asked++
    return Promise.resolve(isThere)
  })
  await pass(40)
  isThere = true
  await pass(2)
  expect(asked).toBeGreaterThan(0)
  const before = asked
  // From then on the pauses grow.
  await pass(60)
  expect(asked - before).toBeLessThan(8)
  await transfer.stop()
})

test('asks again where asking failed', async () => {
  let attempts = 0
  const { transfer, pass } = await waiting(() => {
    attempts++
    return attempts === 1 ? Promise.reject(new Error('a full disk')) : Promise.resolve(true)
  })
  await pass(3)
  expect(attempts).toBeGreaterThan(1)
  await transfer.stop()
})
