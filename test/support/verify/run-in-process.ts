import { parseArguments } from '../../../chain/verify/arguments.ts'
import { run as runAccount } from '../../../chain/verify/commands/account.ts'
import { run as runDevice } from '../../../chain/verify/commands/device.ts'
import { run as runName } from '../../../chain/verify/commands/name.ts'
import { run as runSafetyNumber } from '../../../chain/verify/commands/safety-number.ts'
import type { Surroundings } from '../../../chain/verify/open-sources.ts'
import type { VerificationReport } from '../../../chain/verify/report/report.ts'

const COMMANDS = { account: runAccount, device: runDevice, name: runName, 'safety-number': runSafetyNumber }

const SURROUNDINGS: Surroundings = { emit: () => undefined, note: () => undefined, pauseMs: 0 }

/** Runs a command of the tool without a process around it, for campaigns. */
export async function verifyInProcess(...argv: string[]): Promise<VerificationReport> {
  const request = parseArguments(argv)
  if (request.kind !== 'run') throw new Error(`${request.kind} is not a run`)
  const { invocation } = request
  const run = COMMANDS[invocation.command as keyof typeof COMMANDS]
  return run(invocation, SURROUNDINGS)
}
