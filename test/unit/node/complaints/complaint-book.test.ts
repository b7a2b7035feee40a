import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppDatabase } from '../../../../node/app-database.ts'
import { ComplaintBook } from '../../../../node/complaints/complaint-book.ts'
import { complaintText } from '../../../../protocol/wire/complaint-file.ts'
import { brokenPromise, JUDGED_AT, newKey } from '../../../support/complaints/broken-promise.ts'
import { crypto, network } from '../../../support/network/in-process/fixtures.ts'

const folder = mkdtempSync(join(tmpdir(), 'volo-complaints-'))
const database = new AppDatabase(folder)
let book: ComplaintBook
beforeAll(async () => {
  await database.open()
  const store = database.storeFor('complaints')
  book = new ComplaintBook({ crypto, clock: () => JUDGED_AT, store }, { network })
})
afterAll(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

describe('the complaints that a node publishes', () => {
  it('hold, and each node and delivery is there once, however often and in what form it comes', async () => {
    const key = await newKey()
    const complaint = await brokenPromise({ key })
    await book.add(complaintText(complaint), 'a')
    await book.add(JSON.stringify(JSON.parse(complaintText(complaint))), 'b')
    const { key: _key, ...again } = { key, mailbox: complaint.mailbox, id: complaint.id }
    await book.add(
      complaintText(await brokenPromise({ key, ...again, promisedAt: complaint.receipt.receipt.time - 5 })),
      'b'
    )
    expect(await book.page(null)).toEqual({ complaints: [complaintText(complaint)], next: null })
    await expect(book.add(complaintText(await brokenPromise({ denial: { reason: 'evicted' } })), 'a')).rejects.toThrow(
      'This complaint does not hold'
    )
    await expect(book.add('{}', 'a')).rejects.toMatchObject({ code: 'malformed' })
    expect((await book.page(null)).complaints).toHaveLength(1)
  })

  it('are read page by page, all of them once', async () => {
    for (let i = 0; i < 70; i++) await book.add(complaintText(await brokenPromise()), `from ${i}`)
    const first = await book.page(null)
    const second = await book.page(first.next)
    expect([first.complaints.length, second.complaints.length, second.next]).toEqual([64, 7, null])
    expect(new Set([...first.complaints, ...second.complaints]).size).toBe(71)
  })

  it('are taken from one address so many an hour', async () => {
    const text = complaintText(await brokenPromise({ denial: { reason: 'evicted' } }))
    for (let i = 0; i < 200; i++) await book.add(text, 'flood').catch(() => undefined)
    await expect(book.add(complaintText(await brokenPromise()), 'flood')).rejects.toMatchObject({
      code: 'rate-limited'
    })
    await expect(book.add(text, 'another')).rejects.toMatchObject({ code: 'refused' })
  })
})
