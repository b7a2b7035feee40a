import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { createRoster, type ConversationId, type Roster } from '../../protocol/roster/roster.ts'
import type { RecordId } from '../../protocol/identity/device.ts'
import { decryptMessage } from '../../protocol/session/inbound.ts'
import { decodeMessagePacket } from '../../protocol/session/message-packet.ts'
import { encryptMessage } from '../../protocol/session/outbound.ts'
import {
  acceptAs,
  createAccount,
  openTo,
  partFor,
  testEnvironment,
  type TestDevice,
  type TestEnvironment
} from '../unit/protocol/session/fixtures.ts'
import { peersFolder, peerScript } from './peers.ts'
import { percentile, report } from './report.ts'

const PEER = 'libsignal-client 0.103.0 (PQXDH, in-memory stores)'
const MESSAGE_BYTES = 1024
/** Stays below the limit at which a session is renewed. */
const MESSAGES = 90
/** Sessions opened before any count, so that few devices are not measured while the code is still being compiled. */
const WARM_UP_SESSIONS = 400

type SignalFigures = Record<'open10' | 'open100' | 'open1000' | 'encrypt1k' | 'decrypt1k', number>

/** Opening a session to many devices and encrypting messages, in CPU time, beside Signal's published client. */
export async function benchSessions(): Promise<void> {
  const signal = await measureSignal()
  const note = typeof signal === 'string' ? `peer not run: ${signal}` : undefined
  const peerOf = (name: keyof SignalFigures): number | null => (typeof signal === 'string' ? null : signal[name])
  const env = testEnvironment('bench')
  for (const count of [10, 100, 1000] as const) {
    const { me, roster, others } = await groupOf(env, count)
    const used = await medianCpu(count === 1000 ? 3 : 7, Math.max(1, WARM_UP_SESSIONS / count), () =>
      openTo(env, me, roster, others)
    )
    report(`session-open-${count}-devices`, 'ms CPU', used / 1000, {
      peer: PEER,
      peerValue: toMs(peerOf(`open${count}`)),
      target: { atMost: 1 },
      ...(note && { note })
    })
  }
  const messages = await measureMessages(env)
  for (const [metric, value, peerValue] of [
    ['message-encrypt-1KiB', messages.encrypt, peerOf('encrypt1k')],
    ['message-decrypt-1KiB', messages.decrypt, peerOf('decrypt1k')]
  ] as const) {
    report(metric, 'us CPU', value, { peer: PEER, peerValue, ...(note && { note }) })
  }
}

const toMs = (microseconds: number | null): number | null => (microseconds === null ? null : microseconds / 1000)

async function measureSignal(): Promise<SignalFigures | string> {
  const folder = await peersFolder('@signalapp/libsignal-client')
  if (folder.problem !== undefined) return folder.problem
  const { stdout } = await promisify(execFile)(process.execPath, [peerScript('libsignal.js'), folder.path])
  return JSON.parse(stdout) as SignalFigures
}

/** One sender and `count` accounts of one device each. */
async function groupOf(
  env: TestEnvironment,
  count: number
): Promise<{ me: TestDevice; roster: Roster; others: TestDevice[] }> {
  const accounts = await Promise.all(Array.from({ length: count + 1 }, () => createAccount(env, 1)))
  const roster = createRoster(
    env.random(32) as ConversationId,
    0,
    accounts.map(account => ({ ...account.member(), head: env.random(32) as RecordId }))
  )
  const [me, ...others] = accounts.map(account => account.devices[0]!)
  return { me: me!, roster, others }
}

async function measureMessages(env: TestEnvironment): Promise<{ encrypt: number; decrypt: number }> {
  const { me, roster, others } = await groupOf(env, 1)
  const content = env.random(MESSAGE_BYTES)
  const encrypts: number[] = []
  const decrypts: number[] = []
  for (let round = 0; round < 7; round++) {
    const opened = await openTo(env, me, roster, others)
    const accepted = await acceptAs(env, others[0]!, roster, opened.openBody, partFor(opened, others[0]!.deviceId))
    const packets: Uint8Array[] = []
    let outbound = opened.outbound
    let before = process.cpuUsage()
    for (let i = 0; i < MESSAGES; i++) {
      const sealed = await encryptMessage(env, outbound, content, true)
      outbound = sealed.outbound
      packets.push(sealed.packet)
    }
    encrypts.push(cpuSince(before) / MESSAGES)
    let inbound = accepted.inbound
    before = process.cpuUsage()
    for (const packet of packets) {
      inbound = (await decryptMessage(env, inbound, decodeMessagePacket(packet))).inbound
    }
    decrypts.push(cpuSince(before) / MESSAGES)
  }
  return { encrypt: percentile(encrypts, 0.5), decrypt: percentile(decrypts, 0.5) }
}

const cpuSince = (before: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Median CPU microseconds; `warmUp` rounds before do not count, as at the peer. */
async function medianCpu(rounds: number, warmUp: number, run: () => Promise<unknown>): Promise<number> {
  const samples: number[] = []
  for (let round = 0; round < warmUp; round++) await run()
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    await run()
    samples.push(cpuSince(before))
  }
  return percentile(samples, 0.5)
}
