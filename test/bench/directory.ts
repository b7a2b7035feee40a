import { measureFold, measureProof } from '../adversary/campaigns/directory-rate.ts'
import { report } from './report.ts'

const ACCOUNTS = 2_000
const PROOF_ROUNDS = 20
const CATCH_UP_AT_LEAST = 0.7
const PROOF_AT_MOST = 1.3

/** Catching up with the chain's records, and checking one account's proof, beside what their signatures and hashes cost. */
export async function benchDirectory(): Promise<void> {
  const fold = await measureFold({ accounts: ACCOUNTS })
  report('directory-catch-up', 'signatures/s CPU', fold.signaturesPerSecond, {
    peer: 'bare signature checks on the same core',
    peerValue: fold.bareVerifiesPerSecond,
    ratio: fold.ratio,
    spread: fold.spread,
    target: { atLeast: CATCH_UP_AT_LEAST },
    note: `${fold.recordsPerSecond} records/s`
  })
  const proof = await measureProof({ rounds: PROOF_ROUNDS })
  report('proof-check', 'ms CPU', proof.checkMs, {
    peer: 'its bare hashes and signature checks',
    peerValue: proof.bareMs,
    ratio: proof.ratio,
    spread: proof.spread,
    target: { atMost: PROOF_AT_MOST }
  })
}
