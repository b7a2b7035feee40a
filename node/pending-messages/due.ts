/** What a sweep does with each thing whose time has come. */
import type { DeliveryId } from '../../protocol/wire/envelope.ts'
import type { DueTombstones } from './aged-tombstones.ts'
import { ID_BYTES, isDue, proofKey, type Expiring } from './pending-records.ts'
import type { DeliveryName, StoreTransaction } from './store-transaction.ts'

/** Names a mailbox whose counters alone are wanted. */
export const NO_ID = new Uint8Array(ID_BYTES) as DeliveryId

/** What has to be loaded before {@link endDue}. */
export function namesOf(targets: Expiring[], { aging }: DueTombstones): DeliveryName[] {
  return targets.flatMap((target, place) => {
    if (target.kind === 'entry') return [target]
    if (target.kind === 'aging') return aging.get(place)!.ids.map(id => ({ mailbox: target.mailbox, id }))
    return target.kind === 'aged' ? [{ mailbox: target.mailbox, id: NO_ID }] : []
  })
}

/** @param place - of the target among those that are due. */
export function endDue(
  transaction: StoreTransaction,
  target: Expiring,
  place: number,
  { aging, aged }: DueTombstones,
  now: number
): void {
  switch (target.kind) {
    case 'entry':
      if (isDue(transaction.entry(target), now)) transaction.expire(target)
      return
    case 'proof':
      return transaction.delete(proofKey(target.hash))
    case 'loss':
      return transaction.losses.due(target.mailbox)
    case 'aged':
      return transaction.dropAged(target.mailbox, target.day, aged.get(place)!)
    case 'aging': {
      const { ids, takesProof } = aging.get(place)!
      for (const id of ids) transaction.age({ mailbox: target.mailbox, id }, target.hash)
      if (takesProof) transaction.delete(proofKey(target.hash))
    }
  }
}
