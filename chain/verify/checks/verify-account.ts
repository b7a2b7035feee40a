/** The question behind most commands: which keys does this account have, and who says so? */
import { setTimeout as sleep } from 'node:timers/promises'
import { liveDevices, type AccountState, type NameClaim } from '../../../protocol/directory/account.ts'
import { isUsername, nameTagOf } from '../../../protocol/identity/username.ts'
import { NAME_SETTLED_CONFIRMATIONS } from '../../../protocol/limits.ts'
import type { RecordKind } from '../../../protocol/identity/record.ts'
import { compareAnswers, type Agreement } from './agreement.ts'
import { askForAccount, askForName, claimOf, type Answer, type Seen } from './answer.ts'
import { counted } from '../report/render-human.ts'
import type { TrustLevel } from '../report/report.ts'
import type { Subject } from './subject.ts'
import type { Verification } from './verification.ts'

/** Rounds of questions while sources disagree: one may be a block behind. */
const ROUNDS = 3
/** Kinds that change which keys count. */
const DEVICE_KINDS: readonly RecordKind[] = ['add', 'revoke', 'rotate', 'recover']

/** An account that at least one source proves. */
export interface VerifiedAccount {
  readonly subject: Subject
  /** What counts: see {@link Seen}. */
  readonly state: AccountState
  /** The answer it was taken from: of all that hold, the one that shows most. */
  readonly best: Seen
  /** All answers that hold. */
  readonly seen: readonly Seen[]
  readonly level: TrustLevel
  /** Blocks on top of the latest change and its own, by the source that counts fewest; 0 while pending. */
  readonly confirmations: number
  /** The name's tag and claim, if the account was asked for by name. */
  readonly name: { readonly tag: Uint8Array; readonly claim: NameClaim } | undefined
}

/**
 * Asks all sources for one account, checks what they send, and holds it against each other. What was found stands in the
 * run's checklist.
 * @returns `undefined` if no source proves the account.
 */
export async function verifyAccount(run: Verification, subject: Subject): Promise<VerifiedAccount | undefined> {
  const tag = await tagOf(run, subject)
  const ask = (source: Verification['sources'][number]): Promise<Answer> =>
    subject.kind === 'account' ? askForAccount(run, source, subject.accountId) : askForName(run, source, tag!)
  const { answers, agreement } = await askUntilAgreed(run, ask)
  for (const answer of answers) recordAnswer(run, subject, answer)
  const { best, disagreements, level } = agreement
  if (!best) {
    recordAbsence(run, subject, answers)
    return undefined
  }
  const about = subject.label
  for (const { kind, source, reason } of disagreements) {
    run.checklist.add('agreement', kind === 'contradiction' ? 'failed' : 'unconfirmed', 'the sources agree', {
      detail: reason,
      source,
      about
    })
  }
  const seen = answers.filter(answer => answer.kind === 'seen')
  recordAgreement(run, about, seen, agreement)
  const state = best.checked.account
  const claim = tag && claimOf(state, tag)
  const confirmations = Math.min(...seen.map(answer => answer.checked.confirmations))
  const name = tag && claim ? { tag, claim } : undefined
  const account: VerifiedAccount = { subject, state, best, seen, level, confirmations, name }
  recordDepth(run, account)
  return account
}

/** @returns 32 bytes; `undefined` for an account id. */
async function tagOf(run: Verification, subject: Subject): Promise<Uint8Array | undefined> {
  if (subject.kind === 'account' || !isUsername(subject.username)) return undefined
  const { id, genesis } = run.init.network
  return nameTagOf(run.init.crypto, id, genesis, subject.username)
}

async function askUntilAgreed(
  run: Verification,
  ask: (source: Verification['sources'][number]) => Promise<Answer>
): Promise<{ answers: Answer[]; agreement: Agreement }> {
  for (let round = 1; ; round++) {
    const answers = await Promise.all(run.sources.map(ask))
    const agreement = compareAnswers(answers)
    if (agreement.disagreements.length === 0 || round === ROUNDS) return { answers, agreement }
    await sleep(run.init.pauseMs, undefined, run.init.signal ? { signal: run.init.signal } : {})
    for (const source of run.sources) source.refresh()
  }
}

function recordAnswer(run: Verification, { label: about }: Subject, answer: Answer): void {
  const { checklist } = run
  const notes = { source: answer.source.name, about }
  if (answer.kind === 'seen') {
    const { transactionCount, checked } = answer
    const recorded = checked.places.filter(({ order }) => order !== null).length
    checklist.pass('subject', 'the proof is of what was asked for', notes)
    checklist.pass('transactions', `${counted(transactionCount, 'transaction')}, ids and metadata re-hashed`, notes)
    checklist.pass('records', `${counted(recorded, 'record')}, rules replayed and all signatures verified`, notes)
  } else if (answer.kind !== 'absent') {
    const outcome = answer.kind === 'refused' ? 'failed' : answer.kind
    checklist.add('source', outcome, 'the source proves the account', { ...notes, detail: answer.reason })
  }
}

function recordAbsence(run: Verification, { label: about }: Subject, answers: readonly Answer[]): void {
  for (const answer of answers) {
    if (answer.kind !== 'absent') continue
    run.checklist.absent('found', 'the account is recorded', {
      detail: answer.reason,
      source: answer.source.name,
      about
    })
  }
}

function recordAgreement(run: Verification, about: string, seen: readonly Seen[], agreement: Agreement): void {
  if (agreement.level === 2) {
    run.checklist.pass('agreement', 'independent sources agree on every transaction, block and place', { about })
  } else if (seen.length > 1 && agreement.disagreements.length === 0 && agreement.level === 1) {
    const detail = 'they share an address, a key or an operator'
    run.checklist.unconfirmed('independence', 'the sources are independent', { detail, about })
  }
}

function recordDepth(run: Verification, { subject, best, state, confirmations, name }: VerifiedAccount): void {
  const { checklist } = run
  const { minConf, atHeight } = run.init.options
  const about = subject.label
  const isDeep = confirmations >= minConf
  const depth = confirmations === 0 ? 'it waits to be recorded' : counted(confirmations, 'confirmation')
  checklist.require('confirmations', isDeep, `the latest change has at least ${counted(minConf, 'confirmation')}`, {
    detail: depth,
    about
  })
  if (name)
    checklist.pass('name', `the account's own records claim ${about}`, { detail: nameDetail(best, name.claim), about })
  const waiting = best.pending.filter(({ kind }) => DEVICE_KINDS.includes(kind)).map(({ kind }) => kind)
  if (waiting.length > 0 && minConf > 0 && atHeight === undefined && confirmations > 0) {
    const detail = `waiting: ${waiting.join(', ')}`
    checklist.unconfirmed('pending', 'no change of devices waits to be recorded', { detail, about })
  }
  if (liveDevices(state).length === 0) checklist.absent('devices', 'the account has a live device', { about })
}

function nameDetail({ checked }: Seen, { order }: NameClaim): string {
  if (!order) return 'not recorded yet'
  const confirmations = checked.tip.height - order.blockHeight + 1
  const state = confirmations >= NAME_SETTLED_CONFIRMATIONS ? 'settled' : 'not settled yet'
  return `opened in block ${order.blockHeight}, ${counted(confirmations, 'confirmation')}, ${state}`
}

/** The level that all of them reach. */
export function lowestLevel(accounts: readonly (VerifiedAccount | undefined)[]): TrustLevel {
  return Math.min(...accounts.map(account => account?.level ?? 0)) as TrustLevel
}
