import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take longest, mostly by waiting for processes. One that begins last would keep all others waiting for it. */
const SLOWEST = [
  'integration/peer/cli',
  'integration/tools/chaos',
  'integration/start/start',
  'integration/peer/backup',
  'integration/peer/link',
  'integration/peer/groups',
  'integration/chain/smoke',
  'integration/start/start-network',
  'integration/verify/verify-lies',
  'integration/verify/verify-hostile',
  'integration/node/http',
  'integration/peer/recovery',
  'integration/node/rolling-restart',
  'integration/node/backup',
  'integration/node/custody-epochs',
  'integration/node/registration',
  'integration/peer/failover',
  'integration/node/chain-epochs',
  'unit/peer/linking/linking',
  'unit/peer/delivery',
  'unit/peer/lies',
  'unit/peer/own-devices/ten-devices',
  'unit/peer/hostile',
  'adversary/http',
  'adversary/withheld-revoke'
].map(name => `test/${name}.test.ts`)

/** Starts {@link SLOWEST} first, then all others in their usual order. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = SLOWEST.findIndex(name => moduleId.endsWith(name))
      return index < 0 ? SLOWEST.length : index
    }
    const others = await super.sort(files)
    return others
      .map((file, i) => [place(file), i, file] as const)
      .sort((a, b) => a[0] - b[0] || a[1] - b[1])
      .map(([, , file]) => file)
  }
}
