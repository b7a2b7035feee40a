import { expect, test, type Page } from '@playwright/test'
import { LocalNetwork } from '../support/network/real-processes/local-network.ts'
import { accessibilityFaults } from './support/axe.ts'
import { watchForeignRequests } from './support/foreign-requests.ts'
import { BrowserPerson } from './support/person.ts'

/** A browser notices a dead node and is on another one within this time. */
const FAILOVER_MS = 5_000

test.describe('R4, R5, R7 and R8: two people on a network of three nodes', () => {
  let network: LocalNetwork

  test.beforeAll(async () => {
    network = await LocalNetwork.start({ nodes: 3 })
  })

  test.afterAll(async () => {
    await network.stop()
  })

  test('Ada and Bob meet, chat, and go on when a node dies', async ({ browser }) => {
    test.setTimeout(600_000)
    const ada = await BrowserPerson.create(browser, 'ada')
    const bob = await BrowserPerson.create(browser, 'bob')
    // One of the two has a browser without shared workers.
    await bob.context.addInitScript(() => Reflect.deleteProperty(globalThis, 'SharedWorker'))
    const foreign = [ada, bob].map(person => watchForeignRequests(person.context, network.urls))

    await test.step('both sign up within a minute, on different nodes', async () => {
      const start = Date.now()
      await ada.signUp(network.urls[0]!)
      expect(Date.now() - start).toBeLessThan(60_000)
      await bob.signUp(network.urls[2]!)
    })

    const writes = await watchDurability(bob.page)

    await test.step('Ada finds Bob by his name and writes; a stranger is told no more than Sent', async () => {
      await ada.startChatWith('bob')
      await ada.write('Hello Bob')
      await ada.expectTick('Hello Bob', 'sent')
      await bob.openChat('Ada')
      await expect(bob.message('Hello Bob')).toBeVisible()
      await ada.expectTick('Hello Bob', 'sent')
    })

    await test.step('Bob answers, and so accepts her', async () => {
      await bob.write('Hello Ada')
      await expect(ada.message('Hello Ada')).toBeVisible()
      await ada.expectTick('Hello Bob', 'delivered', 'read')
      expect(await accessibilityFaults(ada.page)).toEqual([])
    })

    await test.step('what Bob sent and acknowledged was on his disk, not only in memory', async () => {
      const asked = await writes()
      expect(asked).toContain('strict')
      expect(asked).not.toContain('default')
    })

    await test.step('the public record shows both', async () => {
      await expect(ada.page.getByText('Adding you to the public record')).toHaveCount(0, { timeout: 90_000 })
    })

    await test.step('what is written while Bob is away waits for him', async () => {
      await bob.page.close()
      await ada.write('Are you there?')
      await ada.expectTick('Are you there?', 'sent')
      bob.page = await bob.context.newPage()
      await bob.page.goto(network.urls[2]!)
      await bob.openChat('Ada')
      await expect(bob.message('Are you there?')).toBeVisible()
      await ada.expectTick('Are you there?', 'delivered', 'read')
    })

    await test.step('history is there after a reload', async () => {
      await ada.page.reload()
      await expect(ada.message('Hello Ada')).toBeVisible()
      await expect(ada.message('Are you there?')).toHaveCount(1)
    })

    await test.step('Ada goes on through another node when hers is killed', async () => {
      await network.kill(0)
      await ada.write('Still here')
      await ada.expectTick('Still here', 'sent', 'delivered', 'read')
      await expect(bob.message('Still here')).toBeVisible({ timeout: FAILOVER_MS })
      await bob.write('Me too')
      await expect(ada.message('Me too')).toBeVisible()
    })

    await test.step('the app opens although the node that served it is dead', async () => {
      await ada.page.reload()
      await expect(ada.message('Me too')).toBeVisible()
      await ada.write('After the reload')
      await ada.expectTick('After the reload', 'sent', 'delivered', 'read')
    })

    expect(foreign.flat()).toEqual([])
    await ada.close()
    await bob.close()
  })
})

/** @returns what reads how durable each write of the page's worker to the peer's store had to be, from now on. */
async function watchDurability(page: Page): Promise<() => Promise<string[]>> {
  const [worker] = page.workers()
  if (!worker) throw new Error('the page has no worker of its own')
  const kept = await worker.evaluateHandle(() => {
    const durabilities: string[] = []
    const begin = Reflect.get(IDBDatabase.prototype, 'transaction')
    IDBDatabase.prototype.transaction = function (...args) {
      const transaction = begin.apply(this, args)
      if (this.name.includes('volo-store') && transaction.mode === 'readwrite') {
        durabilities.push(transaction.durability)
      }
      return transaction
    }
    return durabilities
  })
  return () => kept.evaluate(list => list)
}
