/**
 * A second, independent implementation of Cardano's ledger rules, to judge beside the devnet's: cquisitor, a stateless
 * validator in WebAssembly. Never a dependency of the project: it lives in a folder of its own, or not at all.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PROTOCOL_PARAMETERS } from '../../../chain/devnet/protocol-parameters.ts'
import { enterpriseAddress } from '../../../chain/publish/transaction-builder.ts'
import { toHex } from '../../../protocol/bytes.ts'
import { COIN, INPUT_ID, SEED } from '../../unit/chain/devnet/hand-built-transaction.ts'
import { root } from '../network/real-processes/node-process.ts'

const PACKAGE = '@cardananium/cquisitor-lib'
const VERSION = '0.1.0-beta.37'
const INSTALL_TIMEOUT_MS = 120_000
const folder = join(root, '.cache', 'ledger-peers')

export type LedgerVerdict = 'accepted' | 'refused'

/** Judges transactions that spend the coin of hand-built-transaction.ts. */
export interface SecondLedger {
  readonly name: string
  judge(transaction: Uint8Array, slot: number): LedgerVerdict
}

/** The parts of the package that are used; it throws for transactions that it cannot parse. */
interface Cquisitor {
  validate_transaction_js(transaction: string, context: string): string
}

/** @returns the ledger, or `undefined` where it is not installed: {@link installSecondLedger} does. */
export function openSecondLedger(): SecondLedger | undefined {
  if (!existsSync(join(folder, 'node_modules', PACKAGE))) return undefined
  const library = createRequire(join(folder, 'package.json'))(PACKAGE) as Cquisitor
  return {
    name: `${PACKAGE} ${VERSION}`,
    judge: (transaction, slot) => {
      let errors: unknown[]
      try {
        const result = library.validate_transaction_js(toHex(transaction), JSON.stringify(contextAt(slot)))
        errors = (JSON.parse(result) as { errors: unknown[] }).errors
      } catch {
        // What it cannot read, it refuses.
        return 'refused'
      }
      return errors.length === 0 ? 'accepted' : 'refused'
    }
  }
}

/** Installs it, once. @returns a sentence that says why it is absent, or `undefined`. */
export async function installSecondLedger(): Promise<string | undefined> {
  if (openSecondLedger()) return undefined
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'ledger-peers', private: true }))
  try {
    const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
    const options = { cwd: folder, timeout: INSTALL_TIMEOUT_MS }
    await promisify(execFile)('npm', ['install', ...flags, `${PACKAGE}@${VERSION}`], options)
    return undefined
  } catch (cause) {
    return `${PACKAGE} could not be installed: ${String(cause).split('\n')[0]}`
  }
}

const P = PROTOCOL_PARAMETERS
const ratio = (numerator: number, denominator: number) => ({ numerator, denominator })
const units = (mem: string, steps: string) => ({ mem: Number(mem), steps: Number(steps) })

function contextAt(slot: number): object {
  const output = {
    address: enterpriseAddress(SEED, false),
    amount: [{ unit: 'lovelace', quantity: String(COIN) }]
  }
  return {
    slot,
    networkType: 'preview',
    utxoSet: [{ isSpent: false, utxo: { input: { outputIndex: 0, txHash: toHex(INPUT_ID) }, output } }],
    protocolParameters: {
      minFeeCoefficientA: P.min_fee_a,
      minFeeConstantB: P.min_fee_b,
      maxBlockBodySize: P.max_block_size,
      maxTransactionSize: P.max_tx_size,
      maxBlockHeaderSize: P.max_block_header_size,
      stakeKeyDeposit: Number(P.key_deposit),
      stakePoolDeposit: Number(P.pool_deposit),
      maxEpochForPoolRetirement: P.e_max,
      protocolVersion: [P.protocol_major_ver, P.protocol_minor_ver],
      minPoolCost: Number(P.min_pool_cost),
      adaPerUtxoByte: Number(P.coins_per_utxo_size),
      maxValueSize: Number(P.max_val_size),
      collateralPercentage: P.collateral_percent,
      maxCollateralInputs: P.max_collateral_inputs,
      governanceActionDeposit: Number(P.gov_action_deposit),
      drepDeposit: Number(P.drep_deposit),
      maxTxExecutionUnits: units(P.max_tx_ex_mem, P.max_tx_ex_steps),
      maxBlockExecutionUnits: units(P.max_block_ex_mem, P.max_block_ex_steps),
      referenceScriptCostPerByte: ratio(P.min_fee_ref_script_cost_per_byte, 1),
      // No script runs here.
      costModels: { plutusV1: [], plutusV2: [], plutusV3: [] },
      executionPrices: { memPrice: ratio(1, 1), stepPrice: ratio(1, 1) }
    },
    accountContexts: [],
    poolContexts: [],
    drepContexts: [],
    govActionContexts: [],
    lastEnactedGovAction: [],
    currentCommitteeMembers: [],
    potentialCommitteeMembers: [],
    treasuryValue: 0
  }
}
