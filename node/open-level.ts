import { dirname } from 'node:path'
import { DurableLevel, type DurableLevelInit } from '../chain/store/durable-level.ts'
import { reasonOf, StoreError } from '../chain/store/store-error.ts'
import { ConfigError } from './config/config-error.ts'

/**
 * Opens one of the node's stores, see {@link DurableLevel}.
 * @throws ConfigError with one sentence if another process or a newer version uses it, or its folder cannot be written.
 */
export async function openLevel<K, V>(folder: string, init: DurableLevelInit<K, V>): Promise<DurableLevel<K, V>> {
  try {
    return await DurableLevel.open<K, V>(folder, init)
  } catch (error) {
    if (error instanceof StoreError) throw explain(folder, error)
    throw error
  }
}

function explain(folder: string, error: StoreError): Error {
  switch (error.code) {
    case 'in-use': {
      const sentence = `Another node uses ${dirname(folder)}: stop it, or choose another folder with VOLO_DATA_DIR.`
      return new ConfigError(sentence, { cause: error })
    }
    case 'newer':
      return new ConfigError(error.message, { cause: error })
    default: {
      const sentence = `Cannot write to the data folder ${dirname(folder)} (${reasonOf(error.cause)}): check its path, permissions and free space, or choose another with VOLO_DATA_DIR.`
      return new ConfigError(sentence, { cause: error })
    }
  }
}
