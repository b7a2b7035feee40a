/**
 * Two people with five devices each, over a network that loses, copies and delays, with restarts, crashes, devices that join and
 * leave, and clocks hours apart: nothing is lost, twice, out of order or unreadable on any device.
 */
import type { CrowdReport } from '../../support/peer/crowd-report.ts'
import { runDeviceCrowd } from '../../support/peer/device-crowd.ts'

const DEVICES = 5
/** A device joins and another leaves once in so many messages. */
const MESSAGES_OF_CHANGE = 250
/** The devices' time runs so much faster: what waits for minutes is there in moments. */
const SPEED = 100
/** Of the devices' time. */
const SETTLE_MS = 24 * 60 * 60_000
const CLOCK_HOURS = [-9, -3, 0, 0, 0, 2, 7]

/** @param messages - texts that are written, by any device. */
export function runDevicesCampaign(init: { seed: number; messages: number; budgetMs: number }): Promise<CrowdReport> {
  const changes = Math.max(1, Math.floor(init.messages / MESSAGES_OF_CHANGE))
  const crowd = { devices: DEVICES, changes, clockHours: CLOCK_HOURS, settleMs: SETTLE_MS, speed: SPEED }
  return runDeviceCrowd({ ...init, ...crowd })
}
