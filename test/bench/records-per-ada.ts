import { batchOf, FIRST_YEAR, fullBatch } from './scale/scale-model.ts'
import { report } from './report.ts'

/** What a publisher puts into one transaction unless something is urgent. */
const BATCH = 20

/** How many records an ADA pays for, by the fees of real transactions under mainnet's parameters; see `npm run scale-numbers`. */
export function benchRecordsPerAda(): void {
  const note = 'CREATE, NAME commit, NAME reveal and ADD in equal parts'
  const alone = FIRST_YEAR.reduce((sum, record) => sum + batchOf([record], 1)!.fee, 0)
  const full = fullBatch(FIRST_YEAR)
  report('records-per-ada-single', 'records/ADA', FIRST_YEAR.length / alone, { note })
  report(`records-per-ada-batch-${BATCH}`, 'records/ADA', BATCH / batchOf(FIRST_YEAR, BATCH)!.fee, { note })
  report('records-per-ada-full', 'records/ADA', full.count / full.fee, {
    note: `${note}; ${full.count} records in a transaction`
  })
}
