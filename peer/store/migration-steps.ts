/** The steps from one layout of the store to the next, see `migrations.ts`. Released steps never change. */
import { toHex } from '../../protocol/bytes.ts'
import { decodeCbor, encodeCbor, type Cbor } from '../../protocol/cbor.ts'
import type { EntryChange, SealedStore } from './sealed-store.ts'

/** Gives the changes that lead from one version of the layout to the next. It only reads the store. */
export type MigrationStep = (store: SealedStore) => Promise<EntryChange[]>

const MAX_ENTRY_BYTES = 8 * 1024 * 1024
const MAX_ENTRY_DEPTH = 10

/** An entry as the list of its fields, in the order of its codec. */
function fieldsOf(entry: Uint8Array): Cbor[] {
  return decodeCbor(entry, { maxBytes: MAX_ENTRY_BYTES, maxDepth: MAX_ENTRY_DEPTH }) as Cbor[]
}

/** 1 to 2: a conversation has a kind, where it had whether it is notes. */
const conversationKinds: MigrationStep = async store => {
  const conversations = await store.all('conversation')
  return conversations.map(entry => {
    const [conversationId, accountId, isNotes, ...rest] = fieldsOf(entry)
    // Kinds are written as numbers: 0 is "notes", 1 is "direct".
    const kind = isNotes === true ? 0 : 1
    const value = encodeCbor([conversationId!, accountId!, kind, ...rest])
    return { space: 'conversation', id: toHex(conversationId as Uint8Array), value }
  })
}

/** Place of `state` and `problem` among the fields of a message. */
const STATE_FIELD = 9
const PROBLEM_FIELD = 10
/** `failed` among the states of a message. */
const FAILED = 4

/** 2 to 3: why a message waits or failed is a code, where it was a sentence. What waits is explained again when it is tried. */
const problemCodes: MigrationStep = async store => {
  const changes: EntryChange[] = []
  for (const place of await store.all('place')) {
    const [conversationId, order] = fieldsOf(place) as [Uint8Array, string]
    const name = { space: 'message', id: toHex(conversationId), order }
    const entry = await store.get(name)
    const fields = entry && fieldsOf(entry)
    if (!fields || fields[PROBLEM_FIELD] === null) continue
    fields[PROBLEM_FIELD] = fields[STATE_FIELD] === FAILED ? 'not-accepted' : null
    changes.push({ ...name, value: encodeCbor(fields) })
  }
  return changes
}

/** Place of the trust level among the fields of an account, and of its agreement since. */
const TRUST_FIELD = 3

/** 3 to 4: an account has the moment at which two operators agreed, where it had a trust level for good. They are asked again. */
const agreements: MigrationStep = async store => {
  const accounts = await store.all('account')
  return accounts.map(entry => {
    const fields = fieldsOf(entry)
    fields[TRUST_FIELD] = null
    return { space: 'account', id: toHex(fields[0] as Uint8Array), value: encodeCbor(fields) }
  })
}

/** Step `i` leads from version `i + 1` to `i + 2`. */
export const STEPS: readonly MigrationStep[] = [conversationKinds, problemCodes, agreements]
