import { equalBytes } from '../../../protocol/bytes.ts'
import type { AccountProof } from '../../../protocol/directory/proofs/proof.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import type { ReadProof } from './proof-file.ts'
import type { AccountSource } from './account-source.ts'

/** Proof files as a source, without any network. */
export class FileSource implements AccountSource {
  readonly kind = 'file'
  readonly name: string
  readonly party = undefined
  readonly #proofs: readonly ReadProof[]

  /** @param name - what to call it: a file name. */
  constructor(name: string, proofs: readonly ReadProof[]) {
    this.name = name
    this.#proofs = proofs
  }

  async proof(accountId: AccountId): Promise<AccountProof | undefined> {
    const [first, ...others] = this.#proofs
    const found = this.#proofs.find(({ proof }) => equalBytes(proof.accountId, accountId))
    // A lone file is meant to be of this account: being of another one is a contradiction, not an absence.
    return (found ?? (others.length === 0 ? first : undefined))?.proof
  }

  /** Every account in the files may claim it: its records tell, not what the file says about them. */
  async claimants(): Promise<AccountId[]> {
    return this.#proofs.map(({ proof }) => proof.accountId)
  }

  refresh(): void {
    // A file stays what it is.
  }
}
