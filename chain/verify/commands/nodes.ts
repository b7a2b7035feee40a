import { basename } from 'node:path'
import { MAX_COMPLAINT_LENGTH } from '../../../protocol/wire/complaint-file.ts'
import type { Invocation } from '../arguments.ts'
import { judgeFailure } from '../checks/answer.ts'
import { OperatorTable, type OperatorRow } from '../checks/operator-table.ts'
import type { Verification } from '../checks/verification.ts'
import { VerifyError } from '../errors.ts'
import { withSources, type Surroundings } from '../open-sources.ts'
import { counted } from '../report/render-human.ts'
import type { VerificationReport } from '../report/report.ts'
import { NodeSource } from '../sources/node-source.ts'
import { readBounded } from '../sources/proof-file.ts'

/** Complaints of one node that are judged. */
const MAX_COMPLAINTS = 20_000

/** `nodes [FILE ...]`: the table of operators, from all complaints that nodes publish and files hold. */
export async function run(invocation: Invocation, surroundings: Surroundings): Promise<VerificationReport> {
  if (invocation.nodes.length === 0) {
    throw new VerifyError('USAGE', 'nodes reads complaints that nodes publish: name some with --node')
  }
  const files = await Promise.all(
    invocation.positionals.map(async path => ({
      name: basename(path),
      text: Buffer.from(await readBounded(path, MAX_COMPLAINT_LENGTH)).toString()
    }))
  )
  return withSources(invocation, surroundings, async run => {
    const table = new OperatorTable()
    const sources = run.sources.filter(source => source instanceof NodeSource)
    for (const { facts } of sources) facts.listed.forEach(node => table.list(node))
    for (const { name, text } of files) await judgeFile(run, table, name, text)
    for (const source of sources) await judgePublished(run, table, source)
    const lines = [
      `${counted(table.counted, 'complaint')} that ${table.counted === 1 ? 'holds' : 'hold'}, ${table.rejected} that ${table.rejected === 1 ? 'does' : 'do'} not`,
      ...table.rows.map(lineOf)
    ]
    const facts = { complaints: table.counted, rejected: table.rejected, operators: table.rows }
    // Complaints rest on signatures, not on the word of whoever publishes them.
    return { ...run.report(0, facts, lines), trust: { asked: 0, reached: 0 } }
  })
}

async function judgeFile(run: Verification, table: OperatorTable, name: string, text: string): Promise<void> {
  const claim = 'the complaint holds'
  const why = await table.add(run.init.crypto, text, { network: run.init.network.id, now: run.init.clock() })
  if (why === undefined) run.checklist.pass('complaint', claim, { source: name })
  else run.checklist.fail('complaint', claim, { detail: why, source: name })
}

async function judgePublished(run: Verification, table: OperatorTable, source: NodeSource): Promise<void> {
  const { crypto, clock, network, signal } = run.init
  const claim = 'every complaint that the node publishes holds'
  let [judged, wrong] = [0, 0]
  try {
    for (let after: string | null = null; ;) {
      const page: { texts: string[]; next: string | null } = await source.complaints(after, { signal })
      for (const text of page.texts) {
        const why = await table.add(crypto, text, { network: network.id, now: clock() })
        judged += 1
        if (why !== undefined) wrong += 1
      }
      if (page.next === null) break
      if (page.texts.length === 0 || judged >= MAX_COMPLAINTS) {
        throw new VerifyError('BAD_ANSWER', `it publishes more than ${MAX_COMPLAINTS} complaints`)
      }
      after = page.next
    }
    if (wrong === 0)
      run.checklist.pass('complaints', claim, { detail: counted(judged, 'complaint'), source: source.name })
    else run.checklist.fail('complaints', claim, { detail: `${wrong} of ${judged} do not`, source: source.name })
  } catch (error) {
    const failure = judgeFailure(error)
    if (!failure) throw error
    const outcome = failure.kind === 'refused' ? 'failed' : failure.kind
    run.checklist.add('complaints', outcome, claim, { detail: failure.reason, source: source.name })
  }
}

function lineOf({ operator, nodes, broken, lastAt }: OperatorRow): string {
  const who = operator === null ? 'not listed' : `operator ${operator.slice(0, 16)}…`
  const last = lastAt === null ? '' : `, last on ${new Date(lastAt).toISOString()}`
  return `${who}, ${counted(nodes.length, 'node')}: ${counted(broken, 'broken promise')}${last}`
}
