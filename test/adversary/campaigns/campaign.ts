/** What a campaign is asked for. */
export interface CampaignInit {
  /** Decides everything that is random. */
  seed: number
  /** How much to try; each campaign says what of. */
  runs: number
  /** Milliseconds after which no further run begins; Infinity for none. */
  budgetMs: number
}

/** How a campaign ended; further figures are its own. */
export interface CampaignOutcome {
  runs: number
  failures: number
  /** One sentence for each of the first failures, with what is needed to see it again. */
  examples: readonly string[]
  [figure: string]: unknown
}

/** One command of `npm run campaign`. */
export interface Campaign {
  /** A sentence for `--help`. */
  summary: string
  /** What is counted. */
  unit: string
  defaultRuns: number
  run(init: CampaignInit): Promise<CampaignOutcome>
}
