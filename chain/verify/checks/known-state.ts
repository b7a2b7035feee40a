/** What `monitor` remembers of an account between two looks, and how it tells growth from a rewritten history. */
import { randomBytes } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { toHex } from '../../../protocol/bytes.ts'
import { historyOf } from '../../../protocol/directory/account.ts'
import { SETTLED_CONFIRMATIONS } from '../../../protocol/limits.ts'
import { VerifyError } from '../errors.ts'
import { readBounded } from '../sources/proof-file.ts'
import type { VerifiedAccount } from './verify-account.ts'
import type { Verification } from './verification.ts'

const STATE_SCHEMA = 'volo-verify-state/1'
const MAX_STATE_BYTES = 4 * 1024 * 1024
const MAX_RECORDS = 10_000

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const stateSchema = z.object({
  schema: z.literal(STATE_SCHEMA),
  network: hash,
  account: hash,
  records: z
    .array(
      z.object({
        record: hash,
        kind: z.string().max(32),
        /** `null` while it waits to be recorded. */
        block: z.int().nonnegative().nullable(),
        txIndex: z.int().nonnegative().nullable(),
        /** When it was seen: that many blocks on top of its own and itself. */
        confirmations: z.int().nonnegative()
      })
    )
    .max(MAX_RECORDS)
})

export type KnownState = z.infer<typeof stateSchema>

/** The state to remember. */
export function knownStateOf(run: Verification, { state, best }: VerifiedAccount): KnownState {
  const { height } = best.checked.tip
  return {
    schema: STATE_SCHEMA,
    network: toHex(run.init.network.id),
    account: toHex(state.accountId),
    records: historyOf(state).map(({ recordId, kind, order }) => ({
      record: toHex(recordId),
      kind,
      block: order?.blockHeight ?? null,
      txIndex: order?.txIndex ?? null,
      confirmations: order ? height - order.blockHeight + 1 : 0
    }))
  }
}

/** What is different now. */
export interface StateChange {
  /** `rewritten` what was settled is gone or elsewhere; `moved` the same of what was not; `grown` records came on top. */
  readonly kind: 'rewritten' | 'moved' | 'grown'
  readonly reason: string
}

/** Compares the known state with the one seen now. @returns nothing if they are the same. */
export function compareStates(known: KnownState, now: KnownState): StateChange[] {
  if (known.network !== now.network) return [{ kind: 'rewritten', reason: 'it is another network' }]
  if (known.account !== now.account) return [{ kind: 'rewritten', reason: `it was account ${known.account}` }]
  const changes: StateChange[] = []
  known.records.forEach((before, index) => {
    const after = now.records[index]
    const isSame = after?.record === before.record
    if (isSame && after.block === before.block && after.txIndex === before.txIndex) return
    // What was pending and is recorded now went the way of all records.
    if (isSame && before.block === null) return
    const kind = before.confirmations >= SETTLED_CONFIRMATIONS ? 'rewritten' : 'moved'
    const what = isSame ? `stands in block ${after.block ?? 'none'} now` : 'is gone'
    changes.push({ kind, reason: `${before.kind} of block ${before.block ?? 'none'} ${what}` })
  })
  for (const { kind, block } of now.records.slice(known.records.length)) {
    changes.push({ kind: 'grown', reason: `${kind} in block ${block ?? 'none yet'}` })
  }
  return changes
}

/** @returns `undefined` if the file does not exist. @throws VerifyError `MALFORMED`. */
export async function readKnownState(path: string): Promise<KnownState | undefined> {
  let text: string
  try {
    text = new TextDecoder().decode(await readBounded(path, MAX_STATE_BYTES))
  } catch (error) {
    const cause = (error as Error).cause as NodeJS.ErrnoException | undefined
    if (cause?.code === 'ENOENT') return undefined
    throw error
  }
  try {
    return stateSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new VerifyError('MALFORMED', `${path} is not a state that monitor wrote`, { cause })
  }
}

/** @throws VerifyError `MALFORMED` if the file cannot be written. */
export async function writeKnownState(path: string, state: KnownState): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`
  try {
    await writeFile(temporary, `${JSON.stringify(state)}\n`)
    await rename(temporary, path)
  } catch (cause) {
    throw new VerifyError('MALFORMED', `${path} cannot be written: ${(cause as NodeJS.ErrnoException).code ?? ''}`, {
      cause
    })
  }
}
