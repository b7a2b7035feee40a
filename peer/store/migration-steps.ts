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

/** A state of the session suite: its version, and the list of its fields. */
const stateOf = (entry: Uint8Array): [Cbor, Cbor[]] => fieldsOf(entry) as [Cbor, Cbor[]]

/** Place of the open session among the fields of `outbound`. */
const SESSION_FIELD = 5
/** Spaces whose entries speak of Opens as they were before, and are made again by themselves. */
const OLD_OPENS = ['open-delivery', 'resend-request', 'due']

/**
 * 4 to 5: what two devices tell each other has a secret of its own, which comes with an Open. Sessions from before have none:
 * the next message opens a new one.
 */
const pairings: MigrationStep = async store => {
  const changes: EntryChange[] = []
  for (const entry of await store.all('conversation')) {
    const id = toHex(fieldsOf(entry)[0] as Uint8Array)
    for (const space of OLD_OPENS) {
      for (const { order } of await store.range(space, id)) changes.push({ space, id, order, value: null })
    }
    const outbound = await store.get({ space: 'outbound', id })
    if (outbound) {
      const [version, fields] = stateOf(outbound)
      const closed = fields.with(SESSION_FIELD, null)
      changes.push({ space: 'outbound', id, value: encodeCbor([version, closed]) })
    }
    for (const { order, value } of await store.range('gap', id)) {
      const [device, from, to, missing, place] = fieldsOf(value)
      changes.push({ space: 'gap', id, order, value: encodeCbor([device!, from!, to!, missing!, 0, place!]) })
    }
  }
  return [...changes, ...(await unsentWithoutControls(store))]
}

/** Kinds of messages that two devices tell each other: receipt, resendRequest, openedAck, keyUpdate. */
const BETWEEN_TWO = [8, 13, 15, 16]

/** What waits to be sealed: control messages are dropped, and what is sent again goes to all. */
async function unsentWithoutControls(store: SealedStore): Promise<EntryChange[]> {
  return (await store.range('unsent', undefined)).map(({ order, value }) => {
    const [conversationId, messageId, content, sequenced, again] = fieldsOf(value)
    const [, , , body] = fieldsOf(content as Uint8Array) as [Cbor, Cbor, Cbor, Cbor[]]
    const [sequence, predecessor, device] = Array.isArray(again) ? again : []
    if (BETWEEN_TWO.includes(body[0] as number) || device instanceof Uint8Array) {
      return { space: 'unsent', order, value: null }
    }
    const place = Array.isArray(again) ? [sequence!, predecessor!] : null
    const kept = encodeCbor([conversationId!, messageId!, content!, sequenced!, place])
    return { space: 'unsent', order, value: kept }
  })
}

/** 5 to 6: a parked delivery has the time from which a node had it; earlier ones get the time at which they came. */
const custodyTimes: MigrationStep = async store => {
  return (await store.all('parked')).map(entry => {
    const [delivery, waitsFor, since] = fieldsOf(entry) as [Cbor[], Cbor, Cbor]
    const value = encodeCbor([[...delivery, since], waitsFor, since])
    return { space: 'parked', id: toHex(delivery[0] as Uint8Array), value }
  })
}

/**
 * 6 to 7: ids of devices and sessions in names are keyed hashes. The names are changed before the first step runs, in batches of
 * their own, see `SealedStore.blindOldNames`; this step only marks the store.
 */
const blindNames: MigrationStep = async () => []

/** Place of the payload among the fields of a delivery. */
const PAYLOAD_FIELD = 4

/** 7 to 8: a delivery carries its proof, which what is parked came without. */
const deliveryProofs: MigrationStep = async store => {
  const parked = await store.all('parked')
  return parked.map(entry => {
    const [delivery, ...rest] = fieldsOf(entry) as [Cbor[], ...Cbor[]]
    const id = toHex(delivery[0] as Uint8Array)
    return { space: 'parked', id, value: encodeCbor([delivery.toSpliced(PAYLOAD_FIELD, 0, new Uint8Array()), ...rest]) }
  })
}

/** Place of `kind` among the fields of a message, of its text, and of the line after it. */
const KIND_FIELD = 5
const TEXT_FIELD = 6
const LINE_FIELD = 7
/** Kinds of messages. */
const SYSTEM = 1
const GAP = 2
const UNSUPPORTED = 3
/** Lines: tag and fields. */
const NOT_LINKED = [1]
const removedDevice = (mine: boolean): Cbor => [2, mine]

/** 8 to 9: what Volo itself says in a conversation is a code with facts, where it was an English sentence. */
const systemLines: MigrationStep = async store => {
  const changes: EntryChange[] = []
  for (const conversation of await store.all('conversation')) {
    const id = toHex(fieldsOf(conversation)[0] as Uint8Array)
    const missing = await missingLines(store, id)
    for (const { order, value } of await store.range('message', id)) {
      const fields = fieldsOf(value)
      const line = lineOf(fields, missing.get(order) ?? null)
      if (fields[KIND_FIELD] === UNSUPPORTED || line !== null || fields[KIND_FIELD] === GAP) fields[TEXT_FIELD] = ''
      changes.push({ space: 'message', id, order, value: encodeCbor(fields.toSpliced(LINE_FIELD, 0, line)) })
    }
  }
  return changes
}

/** The lines of open gaps, by the order of their rows. */
async function missingLines(store: SealedStore, id: string): Promise<Map<string, Cbor>> {
  const gaps = await store.range('gap', id)
  return new Map(
    gaps.map(({ value }) => {
      const [, , , missing, gone, order] = fieldsOf(value)
      return [order as string, [0, missing!, gone!]]
    })
  )
}

function lineOf(fields: Cbor[], missing: Cbor): Cbor {
  if (fields[KIND_FIELD] === GAP) return missing
  if (fields[KIND_FIELD] !== SYSTEM) return null
  const text = fields[TEXT_FIELD] as string
  return text.startsWith('A device that') ? removedDevice(text.startsWith('A device that you')) : NOT_LINKED
}

/** A mark that was never set, and the mark of a person with whom there is a conversation. */
const UNSET: Cbor = [false, 0]
const NO_NICKNAME: Cbor = [null, 0]
/** Answers are written as numbers: 0 is "accepted". */
const ACCEPTED: Cbor = [0, 0]
/** Kinds of conversations are written as numbers: 1 is "direct". */
const DIRECT = 1

/** 9 to 10: a person whom one has not written to waits for an answer; all with whom there is a conversation are accepted. */
const acceptedPeople: MigrationStep = async store => {
  const conversations = (await store.all('conversation')).map(fieldsOf)
  return conversations
    .filter(([, , kind]) => kind === DIRECT)
    .map(([, accountId]) => {
      const value = encodeCbor([accountId!, UNSET, NO_NICKNAME, UNSET, UNSET, UNSET, UNSET, ACCEPTED])
      return { space: 'person-marks', id: toHex(accountId as Uint8Array), value }
    })
}

/** 10 to 11: there is a search index, made from the messages of each conversation. The empty order means all of them. */
const searchIndex: MigrationStep = async store => {
  const conversations = (await store.all('conversation')).map(fieldsOf)
  return conversations.map(([conversationId]) => {
    return { space: 'search-due', id: toHex(conversationId as Uint8Array), value: encodeCbor([conversationId!, '']) }
  })
}

/** 11 to 12: a message has a place for a file. */
const messageFiles: MigrationStep = async store => {
  const changes: EntryChange[] = []
  for (const conversation of await store.all('conversation')) {
    const id = toHex(fieldsOf(conversation)[0] as Uint8Array)
    for (const { order, value } of await store.range('message', id)) {
      changes.push({ space: 'message', id, order, value: encodeCbor([...fieldsOf(value), null]) })
    }
  }
  return changes
}

/** 12 to 13: rows have what is said about a message and when it disappears, conversations have a timer. */
const amendedMessages: MigrationStep = async store => {
  const changes: EntryChange[] = []
  for (const conversation of await store.all('conversation')) {
    const fields = fieldsOf(conversation)
    const id = toHex(fields[0] as Uint8Array)
    changes.push({ space: 'conversation', id, value: encodeCbor([...fields, null]) })
    for (const { order, value } of await store.range('message', id)) {
      // replyTo, isForwarded, poll, expiresAfter, expiresAt, amendments.
      const row = encodeCbor([...fieldsOf(value), null, false, null, null, null, null])
      changes.push({ space: 'message', id, order, value: row })
    }
  }
  for (const { order, value } of await store.range('unheard', undefined)) {
    changes.push({ space: 'unheard', order, value: encodeCbor([...fieldsOf(value), null]) })
  }
  return changes
}

/**
 * 13 to 14: a conversation may be a group, a line may be about one, and groups have logs. Nothing of before changes; the step keeps
 * older programs, which cannot read them, from opening the store.
 */
const groups: MigrationStep = async () => []

/** 14 to 15: a line may say that another device was shown another world. As {@link groups}, for older programs. */
const differences: MigrationStep = async () => []

/** 15 to 16: a conversation counts unread mentions, which nobody counted before. */
const unreadMentions: MigrationStep = async store => {
  const conversations = (await store.all('conversation')).map(fieldsOf)
  return conversations.map(fields => {
    return { space: 'conversation', id: toHex(fields[0] as Uint8Array), value: encodeCbor([...fields, 0]) }
  })
}

/** Step `i` leads from version `i + 1` to `i + 2`. */
export const STEPS: readonly MigrationStep[] = [
  conversationKinds,
  problemCodes,
  agreements,
  pairings,
  custodyTimes,
  blindNames,
  deliveryProofs,
  systemLines,
  acceptedPeople,
  searchIndex,
  messageFiles,
  amendedMessages,
  groups,
  differences,
  unreadMentions
]
/** The first version without ids in its names. */
export const BLINDED_SINCE = STEPS.indexOf(blindNames) + 2
