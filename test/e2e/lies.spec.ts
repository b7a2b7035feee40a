import { expect, test } from '@playwright/test'
import { runPeerLies } from '../adversary/campaigns/peer-lies.ts'
import { BrowserVisitor } from '../support/browser-visitor.ts'
import { LyingNetwork } from '../support/network/real-processes/lying-network.ts'

const SEED = 20_260_732
const VICTIMS = 8
/** One or two lies of each kind; the campaign uses a thousand. */
const LIES = 14
/** Seeds of people whom the visitor does not know, also not from the short campaign. */
const [CONTRADICTED, FORGED, STOLEN_NAME, ALONE] = [4, 5, 6, 7]

/** Seeds of lies that claim the name with records of the thief's own. */
const CLAIMED_NAME_SEED = 0

test.describe('the app of a node that lies', () => {
  let network: LyingNetwork

  test.beforeAll(async () => {
    network = await LyingNetwork.start({ secondOperator: true, victims: VICTIMS })
  })

  test.afterAll(async () => {
    await network?.stop()
  })

  test('acts upon none of its lies, and says what is wrong', async ({ browser }) => {
    const visitor = await BrowserVisitor.signUp(browser, network.url, 'grace')
    const { page } = visitor
    const nameOf = (victim: number): string => network.cast.victims[victim]!.name
    const lookUp = async (victim: number): Promise<void> => {
      await page.goto(`${network.url}/#/new`)
      await page.getByLabel('Find by username').fill(`@${nameOf(victim)}`)
      await page.getByRole('button', { name: 'Find', exact: true }).click()
    }

    await test.step('of no kind, beside an honest node', async () => {
      const report = await runPeerLies(
        {
          secondOperator: true,
          victims: network.cast.victims.slice(0, CONTRADICTED),
          proofOf: victim => network.proofOf(victim),
          tell: told => network.tell(told),
          visitor: async () => ({
            find: query => visitor.find(query),
            refresh: accountId => visitor.refresh(accountId),
            sealsTo: accountId => visitor.sealsTo(accountId),
            leave: async () => {}
          })
        },
        { seed: SEED, lies: LIES }
      )
      expect(report.failures).toEqual([])
      expect(report).toMatchObject({ lies: LIES, accepted: 0, forgedKeys: 0, shownUnconfirmed: 0, notRecovered: 0 })
    })

    await test.step('a device that a thief added, the removal of the stolen one withheld: a mismatch', async () => {
      await network.tell({ kind: 'stolenKey', victim: CONTRADICTED, seed: 1 })
      await page.goto(`${network.url}/#/people/${network.cast.victims[CONTRADICTED]!.id}`)
      await expect(page.getByText('Contradiction', { exact: true }).first()).toBeVisible()
    })

    await test.step('a forged key: refused, and why', async () => {
      await network.tell({ kind: 'intruder', victim: FORGED, seed: 1 })
      await lookUp(FORGED)
      await expect(page.getByText(/The answer does not hold, so nothing was taken from it/)).toBeVisible()
    })

    await test.step('a name that the thief claims, too: nobody is chosen', async () => {
      await network.tell({ kind: 'stolenName', victim: STOLEN_NAME, seed: CLAIMED_NAME_SEED })
      await lookUp(STOLEN_NAME)
      await expect(page.getByText(/Two independent places disagree about who is/)).toBeVisible()
      await expect(page.getByRole('button', { name: /^Message / })).toHaveCount(0)
    })

    await test.step('with nobody else to ask: one grey line says so, no sign beside the name', async () => {
      await network.network.kill(1)
      await network.tell({ kind: 'wrongTime', victim: ALONE, seed: 1 })
      await lookUp(ALONE)
      await expect(page.getByRole('button', { name: /^Message / })).toBeVisible()
      await page.goto(`${network.url}/#/people/${network.cast.victims[ALONE]!.id}`)
      await expect(page.getByText('A second operator would make it stronger.').first()).toBeVisible()
      await expect(page.getByText(/unconfirmed|secrets/i)).toHaveCount(0)
    })
    await visitor.leave()
  })
})
