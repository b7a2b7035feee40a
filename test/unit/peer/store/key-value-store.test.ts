import { rm } from 'node:fs/promises'
import { openLevelStore } from '../../../../peer/store/level-store.ts'
import { temporaryFolder } from '../../../support/network/real-processes/node-process.ts'
import { MemoryStore } from '../../../support/peer/memory-store.ts'
import { describeKeyValueStore } from '../../../support/suites/key-value-store-suite.ts'

describeKeyValueStore('a LevelDB', async () => {
  const folder = temporaryFolder()
  return {
    store: await openLevelStore(folder),
    reopen: () => openLevelStore(folder),
    remove: () => rm(folder, { recursive: true, force: true })
  }
})

describeKeyValueStore('the memory of tests', async () => {
  const memory = new MemoryStore()
  return { store: memory, reopen: async () => memory, remove: async () => undefined }
})
