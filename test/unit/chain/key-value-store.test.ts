import { rm } from 'node:fs/promises'
import { Level } from 'level'
import { temporaryFolder } from '../../support/network/real-processes/node-process.ts'
import { MemoryStore } from '../../support/chain/simulated-chain.ts'
import { describeChainStore } from '../../support/suites/chain-store-suite.ts'

describeChainStore('a LevelDB', async () => {
  const folder = temporaryFolder()
  const level = new Level<string, string>(folder)
  const close = async (): Promise<void> => {
    await level.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { store: level, close }
})

describeChainStore('the memory of tests', async () => ({ store: new MemoryStore(), close: async () => undefined }))
