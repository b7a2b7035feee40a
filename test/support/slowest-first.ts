import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take longest, mostly by waiting for processes. One that begins last would keep all others waiting for it. */
const SLOWEST = [
  'integration/tools/chaos',
  'integration/peer/cli',
  'integration/start/start',
  'integration/peer/link',
  'integration/node/http',
  'integration/node/registration',
  'integration/node/custody-adversary',
  'integration/chain/follower',
  'integration/verify/verify-hostile',
  'integration/node/custody',
  'integration/verify/verify-bundle',
  'integration/node/backup',
  'unit/peer/linking/linking',
  'unit/peer/delivery',
  'unit/peer/hostile',
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
