import { ClassicLevel } from 'classic-level'
import { allEntries, decodeEntry, parseEntryKey } from '../../node/pending-messages/pending-records.ts'
import { toHex } from '../../protocol/bytes.ts'
import type { StoreDump } from '../support/custody-history.ts'

/** Reads what a stopped node's disk says about every delivery. @param directory - of its LevelDB. */
export async function dumpStore(node: string, directory: string): Promise<StoreDump> {
  const dump: StoreDump = { node, held: [], tombstones: [], everHeld: [] }
  const database = new ClassicLevel<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: false
  })
  await database.open()
  for await (const [key, value] of database.iterator(allEntries(undefined))) {
    const { mailbox, id } = parseEntryKey(key)
    const entry = decodeEntry(value)
    if (!entry) continue
    dump.everHeld.push(toHex(id))
    if (entry.state === 'held') dump.held.push({ device: toHex(mailbox), deliveryId: toHex(id) })
    else dump.tombstones.push(toHex(id))
  }
  await database.close()
  return dump
}
