import type { RegistrationService } from '../accounts/registration-service.ts'
import type { DirectoryServices } from '../key-directory/directory-services.ts'
import type { MetricSample } from '../ports.ts'

/** The services whose work is counted. */
export interface MeasuredServices extends Pick<DirectoryServices, 'keyDirectory' | 'recordOutbox' | 'chain'> {
  registration: RegistrationService
}

/** The services' samples for the administration port. */
export function serviceMetrics({ keyDirectory, registration, recordOutbox, chain }: MeasuredServices): MetricSample[] {
  const publisher = chain.publisher.health()
  const gauge = (name: string, help: string, value: number): MetricSample => ({ name, help, type: 'gauge', value })
  return [
    gauge(
      'volo_directory_accounts',
      'Accounts in the key directory, pending ones included',
      keyDirectory.current.accountCount
    ),
    gauge('volo_directory_pending_records', 'Records that are not settled on the chain', keyDirectory.pool.size),
    gauge('volo_own_waiting_records', 'Records of own devices that no block has', recordOutbox.waiting),
    gauge('volo_chain_height', 'Height of the newest block seen', keyDirectory.tip?.height ?? 0),
    gauge('volo_publisher_queued_records', 'Records that wait for a transaction', publisher.queuedRecords),
    gauge('volo_publisher_live_transactions', 'Transactions that are watched', publisher.liveTransactions),
    gauge('volo_publisher_spent_lovelace', 'Fees of records in the last hour', Number(publisher.spentLastHour)),
    gauge('volo_publisher_budget_lovelace', 'Most that an hour may cost', Number(chain.hourlyBudget)),
    gauge('volo_wallet_lovelace', 'Balance of the wallet that pays for records', Number(publisher.balance ?? 0n)),
    {
      name: 'volo_registrations_total',
      help: 'Accounts registered since the start',
      type: 'counter',
      value: registration.registered
    }
  ]
}
