import type { EngineContext } from '../engine-context.ts'
import type { StateStore } from '../store/state-store.ts'
import type { Outbox } from './outbox.ts'
import type { PairSender } from './pair-sender.ts'
import type { Sealer } from './sealer.ts'

/** Time to hand in what is due before the process ends, such as acknowledgements of what was read. */
const PATIENCE_MS = 1_500
const LOOK_MS = 20

export interface LastWordsComponents {
  context: EngineContext
  states: StateStore
  sealer: Sealer
  pairs: PairSender
  outbox: Outbox
  /** Whether a node can still take something. */
  isOnline: () => boolean
}

/** Hands in what is due before a peer stops. Ends after {@link PATIENCE_MS} at the latest; the rest goes out after the next start. */
export async function sayLastWords(components: LastWordsComponents): Promise<void> {
  const { timers, log } = components.context
  const late = Promise.withResolvers<void>()
  const cancel = timers.after(PATIENCE_MS, late.resolve)
  const said = sayAll(components, timers.monotonic() + PATIENCE_MS).catch((error: unknown) =>
    log.warn('not everything was sent before the end', { reason: String(error) })
  )
  await Promise.race([said, late.promise])
  cancel()
}

async function sayAll(components: LastWordsComponents, deadline: number): Promise<void> {
  const { context, states, sealer, pairs, outbox, isOnline } = components
  await states.idle()
  await sealer.flush()
  await pairs.flush()
  while (outbox.size > 0 && isOnline() && context.timers.monotonic() < deadline) {
    await new Promise<void>(resolve => context.timers.after(LOOK_MS, resolve))
  }
}
