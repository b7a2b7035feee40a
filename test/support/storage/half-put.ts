/** A process that begins to store an object, says "half", and never ends: `node half-put.ts SETTINGS-JSON`. */
import { openStorage, type StorageSettings } from '../../../storage-adapter/open-storage.ts'
import { parseObjectName } from '../../../storage-adapter/storage-adapter.ts'

const storage = await openStorage(JSON.parse(process.argv[2]!) as StorageSettings)
await storage.put({
  name: parseObjectName('killed'),
  size: 4_000_000,
  sha256: new Uint8Array(32),
  content: async function* () {
    for (let count = 0; count < 20; count++) yield new Uint8Array(100_000)
    process.stdout.write('half\n')
    await new Promise(resolve => setInterval(resolve, 1_000_000))
  }
})
