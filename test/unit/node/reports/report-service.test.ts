import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AppDatabase } from '../../../../node/app-database.ts'
import { MAX_REPORTS, REPORT_LIFE_MS, REPORTS_PER_DAY, ReportService } from '../../../../node/reports/report-service.ts'
import { encode } from '../../../../protocol/codec.ts'
import type { AccountId } from '../../../../protocol/identity/device.ts'
import { reportCodec, type Report } from '../../../../protocol/reports/report.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const ADA = '0a'.repeat(32)
const BOB = new Uint8Array(32).fill(0xb0) as AccountId
const report = (change: Partial<Report> = {}): Uint8Array =>
  encode(reportCodec, {
    version: 1,
    about: BOB,
    text: 'spam',
    messages: [{ from: BOB, sentAt: 5, text: 'gold' }],
    ...change
  })

let folder: string
let database: AppDatabase
let reports: ReportService
let now: number
let drawn: number

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'volo-reports-'))
  now = 1_800_000_000_000
  drawn = 0
  database = new AppDatabase(folder)
  await database.open()
  const random = (length: number): Uint8Array =>
    new Uint8Array(length).map((_, at) => (at === 0 ? drawn++ & 255 : at === 1 ? (drawn - 1) >> 8 : 0))
  reports = new ReportService({ clock: () => now, random, store: database.storeFor('reports') })
})
afterEach(async () => {
  await database.close()
  await rm(folder, { recursive: true })
})

test('are kept for the operator, oldest first, until their time is over', async () => {
  await reports.take(ADA, report())
  now += DAY_MS
  await reports.take(ADA, report({ text: 'again', messages: [] }))
  expect(await reports.list()).toMatchObject([
    { by: ADA, about: 'b0'.repeat(32), text: 'spam', at: now - DAY_MS, messages: [{ text: 'gold', sentAt: 5 }] },
    { text: 'again', messages: [] }
  ])
  now += REPORT_LIFE_MS - DAY_MS + 1
  await reports.sweep()
  expect(await reports.list()).toMatchObject([{ text: 'again' }])
})

test('one account makes a few a day; what is malformed counts for nothing', async () => {
  for (const body of [new Uint8Array(), report().slice(1), Uint8Array.of(...report(), 0), new Uint8Array(500_000)]) {
    await expect(reports.take(ADA, body)).rejects.toMatchObject({ name: 'ProtocolError' })
  }
  for (let i = 0; i < REPORTS_PER_DAY; i++) await reports.take(ADA, report())
  await expect(reports.take(ADA, report())).rejects.toMatchObject({ code: 'rate-limited' })
  await reports.take('0b'.repeat(32), report())
  now += DAY_MS
  await reports.take(ADA, report())
  expect(await reports.list()).toHaveLength(REPORTS_PER_DAY + 2)
})

test('a full box takes no more, and loses none', async () => {
  const long = { messages: Array.from({ length: 20 }, () => ({ from: BOB, sentAt: 5, text: 'x'.repeat(2_000) })) }
  let taken = 0
  const fill = async (): Promise<void> => {
    for (; taken < MAX_REPORTS; taken++) await reports.take(String(taken), report(long))
  }
  await expect(fill()).rejects.toMatchObject({ code: 'busy' })
  const kept = await reports.list()
  expect(kept).toHaveLength(taken)
  expect(kept.some(({ by }) => by === '0')).toBe(true)
})
