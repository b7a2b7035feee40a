/**
 * Twelve people with one to three devices each in a group on three nodes, over a network that loses, copies and delays, with
 * restarts, crashes, people and devices that come and go, clocks hours apart, and one node that is killed.
 */
import { runGroupCrowd, type GroupCrowdReport } from '../../support/peer/group-crowd.ts'

const PEOPLE = 12
const MAX_DEVICES = 3
/** Somebody comes or goes once in so many messages. */
const MESSAGES_OF_CHANGE = 250
/** The devices' time runs so much faster: what waits for minutes is there in moments. */
const SPEED = 100
/** Of the devices' time. */
const SETTLE_MS = 24 * 60 * 60_000
const CLOCK_HOURS = [-9, -3, 0, 0, 0, 2, 7]

/** @param messages - texts that are written in the group, by any device. */
export function runGroupsCampaign(init: {
  seed: number
  messages: number
  budgetMs: number
}): Promise<GroupCrowdReport> {
  const changes = Math.max(1, Math.floor(init.messages / MESSAGES_OF_CHANGE))
  const crowd = { people: PEOPLE, maxDevices: MAX_DEVICES, changes, clockHours: CLOCK_HOURS }
  return runGroupCrowd({ ...init, ...crowd, settleMs: SETTLE_MS, speed: SPEED, loss: 0.05 })
}
