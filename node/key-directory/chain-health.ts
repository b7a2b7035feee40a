/** What `/readyz` says of the chain; docs/operating.md says what to do about each. */
import type { FollowerHealth, HeldTransaction } from '../../chain/follow/held.ts'
import type { ReadinessReason } from '../ports.ts'

/** A tip older than this is worth a look. */
const STALE_TIP_MS = 15 * 60 * 1000

/** Why the directory cannot be relied on: at most one reason, with a code that stays the same between versions. */
export function chainReasons({ reachable, caughtUp, reason, code }: FollowerHealth): ReadinessReason[] {
  const because = (name: string, message: string): ReadinessReason[] => [{ code: name, message }]
  if (!reachable) {
    return because(
      'chain-unreachable',
      reason ? `The chain cannot be reached: ${reason}.` : 'The chain has not answered yet.'
    )
  }
  if (reason && code === 'CONTRADICTION') {
    return because(
      'chain-contradiction',
      `The chain contradicts what is final here: ${reason}. Stop the node and run "volo-node chain rebuild".`
    )
  }
  if (reason && code === 'INCOMPLETE') {
    return because('chain-incomplete', `The chain source leaves something out: ${reason}.`)
  }
  // A chain that moves during every look is read at a later one; any other failure lasts until it is mended.
  if (reason && !(caughtUp && code === 'TORN_READ')) {
    return because('chain-refused', `The chain cannot be followed: ${reason}.`)
  }
  return caughtUp ? [] : because('catching-up', 'The chain is still being read; this ends by itself.')
}

/** What an operator should look at. */
export function chainWarnings({ held, numbering, tipAgeMs = 0 }: FollowerHealth): ReadinessReason[] {
  const warnings: ReadinessReason[] = []
  const disputed = held.filter(({ isDisputed }) => isDisputed)
  const unreadable = held.filter(({ isDisputed }) => !isDisputed)
  if (disputed.length > 0) warnings.push({ code: 'chain-disputed', message: describeHeld(disputed) })
  if (unreadable.length > 0) warnings.push({ code: 'chain-unreadable', message: describeHeld(unreadable) })
  if (numbering) warnings.push({ code: 'chain-numbering', message: `The second chain source differs: ${numbering}.` })
  if (tipAgeMs > STALE_TIP_MS) {
    const message = `The newest block is ${Math.round(tipAgeMs / 60_000)} minutes old: is the source up to date?`
    warnings.push({ code: 'chain-stale', message })
  }
  return warnings
}

/** Names the first of them. */
function describeHeld(held: HeldTransaction[]): string {
  const { id, why } = held[0]!
  const more = held.length > 1 ? `, and ${held.length - 1} more like it` : ''
  return `Transaction ${id} is not used yet: ${why}${more}. What follows is used, but does not become final.`
}
