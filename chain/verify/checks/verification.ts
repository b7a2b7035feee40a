import { toHex } from '../../../protocol/bytes.ts'
import type { Clock, Crypto } from '../../../protocol/crypto/crypto.ts'
import { CLOCK_TOLERANCE_MS } from '../../../protocol/limits.ts'
import { Checklist } from '../report/checklist.ts'
import type { NetworkUnderTest } from '../sources/network-parameters.ts'
import { duration } from '../report/render-human.ts'
import type { ReportTip, TrustLevel, VerificationReport } from '../report/report.ts'
import type { AccountSource } from '../sources/account-source.ts'

/** What every command can be told. */
export interface VerifyOptions {
  /** Confirmations that the latest change must have; 1 is being in a block, 0 takes what is pending too. */
  readonly minConf: number
  /** The level asked for; `undefined` for L2 with two sources and L1 with one. */
  readonly trustLevel: TrustLevel | undefined
  /** Block height to look at, instead of now. */
  readonly atHeight: number | undefined
  /** Age of a source's tip in milliseconds from which it counts as out of date. */
  readonly maxTipAgeMs: number
}

/** The state of a run: what it uses, and what it found so far. */
export interface VerificationInit {
  readonly command: string
  /** What was asked for, as typed. */
  readonly subject: readonly string[]
  readonly options: VerifyOptions
  readonly crypto: Crypto
  readonly clock: Clock
  readonly network: NetworkUnderTest
  /** Those that answered so far; the checklist names the others. */
  readonly sources: readonly AccountSource[]
  /** Sources that were named, whether they answered or not. */
  readonly namedSources: number
  readonly checklist: Checklist
  /** Milliseconds before sources that disagree are asked again: one may be a block behind. */
  readonly pauseMs: number
  readonly signal?: AbortSignal | undefined
}

/** One run of a command, against the sources that could be opened. */
export class Verification {
  readonly init: VerificationInit
  readonly checklist: Checklist
  readonly sources: readonly AccountSource[]
  readonly #tips = new Map<string, ReportTip>()

  constructor(init: VerificationInit) {
    this.init = init
    this.checklist = init.checklist
    this.sources = init.sources
  }

  /** L1 from one source, L2 from several, unless asked otherwise. */
  get askedTrust(): TrustLevel {
    // A look at the sources themselves proves no key.
    if (this.init.command === 'doctor') return 0
    return this.init.options.trustLevel ?? (this.init.namedSources > 1 ? 2 : 1)
  }

  /** Remembers the lowest tip that a source told in this run. */
  sawTip(source: AccountSource, tip: { height: number; hash: Uint8Array; time: number }): void {
    const known = this.#tips.get(source.name)
    if (known && known.height <= tip.height) return
    const { height, hash, time } = tip
    this.#tips.set(source.name, { source: source.name, height, hash: toHex(hash), time })
  }

  /** Closes the run: judges the tips and puts everything together. */
  report(reached: TrustLevel, facts: Record<string, unknown> = {}, lines: readonly string[] = []): VerificationReport {
    const { command, subject, clock, network, sources } = this.init
    const checkedAt = clock()
    for (const source of sources) this.#judgeTip(source, checkedAt)
    return {
      command,
      subject,
      network: {
        id: toHex(network.id),
        cardanoMagic: network.genesis.cardanoMagic,
        metadataLabel: network.genesis.metadataLabel,
        from: network.from
      },
      sources: sources.map(({ name, kind }) => ({ name, kind })),
      trust: { asked: this.askedTrust, reached },
      tips: [...this.#tips.values()],
      checkedAt,
      checks: this.checklist.checks,
      facts,
      lines
    }
  }

  #judgeTip(source: AccountSource, now: number): void {
    const tip = this.#tips.get(source.name)
    // A file is as old as it is: its tip is shown, and does not weaken what it proves.
    if (!tip || source.kind === 'file') return
    const { maxTipAgeMs, atHeight } = this.init.options
    const age = now - tip.time
    const isFresh = age <= maxTipAgeMs && age >= -CLOCK_TOLERANCE_MS
    const detail = age < 0 ? `${duration(age)} ahead of this clock` : `${duration(age)} old`
    this.checklist.require('tip', isFresh, 'the source is up to date', { detail, source: source.name })
    if (atHeight !== undefined) {
      const claim = `the source has reached block ${atHeight}`
      this.checklist.require('height', tip.height >= atHeight, claim, { source: source.name })
    }
  }
}
