/** The long form of lies to the app: real nodes, one of which lies, and peers in the worker of a real browser. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from '@playwright/test'
import { browserStage } from '../../support/browser-visitor.ts'
import { LyingNetwork } from '../../support/network/real-processes/lying-network.ts'
import { root } from '../../support/network/real-processes/node-process.ts'
import type { CampaignInit, CampaignOutcome } from './campaign.ts'
import { runPeerLies } from './peer-lies.ts'
import { besideAndAlone } from './peer-lies-real.ts'

/** More than for peers in Node, since signing up takes a browser longer than being lied to. */
const VICTIMS = 40

/** Lies beside an honest node of another operator, then alone. */
export async function runLiesInBrowser(init: CampaignInit): Promise<CampaignOutcome> {
  const finder = pathToFileURL(join(root, 'scripts/find-chromium.js')).href
  const { installedChromium } = (await import(finder)) as { installedChromium(): string | undefined }
  const executablePath = installedChromium()
  const browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] })
  try {
    return await besideAndAlone(init, async (secondOperator, each) => {
      const network = await LyingNetwork.start({ secondOperator, victims: VICTIMS })
      try {
        return await runPeerLies(browserStage(network, browser, secondOperator), each)
      } finally {
        await network.stop()
      }
    })
  } finally {
    await browser.close()
  }
}
