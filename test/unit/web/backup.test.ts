import { describe, expect, test } from 'vitest'
import { BackupPage } from '../../../web/src/backup/backup-page.svelte.ts'
import { BackupWatch } from '../../../web/src/backup/backup-watch.svelte.ts'
import { suggestedPassphrase } from '../../../web/src/backup/passphrase.ts'
import { FakePeer } from '../../support/fake-peer.ts'

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))

describe('the page of the backup', () => {
  test('asks for a passphrase first, and for none afterwards', async () => {
    const page = new BackupPage(new FakePeer())
    await page.look()
    expect(page.canBackUp).toBe(false)
    page.passphrase = 'short'
    expect(page.canBackUp).toBe(false)
    page.passphrase = 'long enough'
    expect(page.canBackUp).toBe(true)
    await page.backUp()
    expect(page.passphrase).toBe('')
    expect(page.status?.last).toMatchObject({ copies: 2 })
    expect(page.canBackUp).toBe(true)
  })

  test('says what a check found, and what went wrong', async () => {
    const peer = new FakePeer()
    const page = new BackupPage(peer)
    await page.check()
    expect(page.checked).toMatchObject({ messages: 1_234 })
    peer.backup.check = async () => {
      throw new Error('gone')
    }
    await page.check()
    expect(page.checked).toBeNull()
    expect(page.failure).toBeInstanceOf(Error)
    expect(page.work).toBe('none')
  })
})

test('what is backed up is chosen, and counts at once', async () => {
  const page = new BackupPage(new FakePeer())
  await page.look()
  expect(page.status?.settings.automatic).toBe(true)
  await page.choose({ automatic: false })
  await page.chooseChat('aa'.repeat(32), false)
  await page.chooseChat('bb'.repeat(32), false)
  await page.chooseChat('aa'.repeat(32), true)
  expect(page.status?.settings).toEqual({ automatic: false, withFiles: true, leftOut: ['bb'.repeat(32)] })
})

test('a restore is followed from every screen, and its failure is kept until it was seen', async () => {
  const watch = new BackupWatch(new FakePeer())
  const choice = { username: 'ada', passphrase: 'x', recoveryCode: null, deviceName: 'x' }
  expect(await watch.restore(choice)).toBeNull()
  expect([watch.isRestoring, watch.failure instanceof Error]).toEqual([false, true])
})

test('a suggested passphrase has five groups of five, and is another one each time', () => {
  const suggested = Array.from({ length: 50 }, () => suggestedPassphrase(random))
  for (const each of suggested) expect(each).toMatch(/^([a-hj-kmnp-z2-9]{5}-){4}[a-hj-kmnp-z2-9]{5}$/)
  expect(new Set(suggested).size).toBe(50)
})
