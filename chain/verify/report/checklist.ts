import type { Check, Outcome } from './report.ts'

/** What a check may say besides its claim. */
export type CheckNotes = Pick<Check, 'detail' | 'source' | 'about'>

/** Collects the checks of one run, in the order in which they were made. */
export class Checklist {
  readonly #checks: Check[] = []

  get checks(): readonly Check[] {
    return this.#checks
  }

  add(id: string, outcome: Outcome, claim: string, notes: CheckNotes & Pick<Check, 'asked'> = {}): void {
    this.#checks.push({ id, outcome, claim, ...notes })
  }

  pass(id: string, claim: string, notes?: CheckNotes): void {
    this.add(id, 'passed', claim, notes)
  }

  fail(id: string, claim: string, notes?: CheckNotes): void {
    this.add(id, 'failed', claim, notes)
  }

  absent(id: string, claim: string, notes?: CheckNotes): void {
    this.add(id, 'absent', claim, notes)
  }

  unconfirmed(id: string, claim: string, notes?: CheckNotes): void {
    this.add(id, 'unconfirmed', claim, notes)
  }

  unreachable(id: string, claim: string, notes?: CheckNotes): void {
    this.add(id, 'unreachable', claim, notes)
  }

  /** @param asked - the person asked to leave it out; otherwise the run is not verified. */
  skip(id: string, claim: string, asked: boolean, notes?: CheckNotes): void {
    this.add(id, 'skipped', claim, { ...notes, asked })
  }

  /** Passes, or is unconfirmed. */
  require(id: string, isMet: boolean, claim: string, notes?: CheckNotes): void {
    this.add(id, isMet ? 'passed' : 'unconfirmed', claim, notes)
  }
}
