import type { CommandArguments, Outcome } from './command-arguments.ts'
import { addressChecks } from './doctor/address-checks.ts'
import { warn, type Finding } from './doctor/finding.ts'
import { diskChecks, secretChecks } from './doctor/machine-checks.ts'
import { chainChecks, readinessFindings } from './doctor/network-checks.ts'
import { RunningNode } from './running-node.ts'

const NOT_RUNNING = warn('node', 'No node runs with this data folder.', 'Start it, unless it is meant to be stopped.')

/** `volo-node doctor`: looks for what keeps a node from working, whether it runs or not. It changes nothing. */
export async function doctor({ config }: CommandArguments): Promise<Outcome> {
  const node = await RunningNode.find(config)
  const [own, address, chain, disk] = await Promise.all([
    node === undefined ? Promise.resolve([NOT_RUNNING]) : node.ask('/status').then(readinessFindings),
    addressChecks(config.publicUrl, node !== undefined),
    chainChecks(config),
    diskChecks(config)
  ])
  const findings = [...own, ...address, ...chain, ...disk, ...secretChecks(config)]
  const failed = findings.filter(({ result }) => result === 'fail').length
  const json = { ok: failed === 0, running: node !== undefined, findings }
  const text = [...findings.flatMap(lines), failed === 0 ? 'Nothing failed.' : failures(failed)].join('\n')
  return { text, json, ...(failed > 0 && { failure: failures(failed) }) }
}

function lines({ check, result, message, change }: Finding): string[] {
  const first = `${result.padEnd(4)}  ${check.padEnd(9)}  ${message}`
  return change === undefined ? [first] : [first, `${' '.repeat(17)}${change}`]
}

const failures = (count: number): string => (count === 1 ? 'One check failed.' : `${count} checks failed.`)
