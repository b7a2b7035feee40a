/**
 * The only file that knows the serialization library. Its objects live in WebAssembly memory, which no garbage collector
 * sees: each is freed here, before its bytes leave.
 */
import csl from '@emurgo/cardano-serialization-lib-nodejs'
import { fromHex } from '../../protocol/bytes.ts'
import { parseTransactionId, type ProtocolParameters, type TransactionId, type Utxo } from '../source/chain-source.ts'
import { ChainError } from '../errors.ts'

/** A signed transaction. */
export interface BuiltTransaction {
  id: TransactionId
  bytes: Uint8Array
  /** Lovelace. */
  fee: bigint
  inputs: Utxo[]
  /** Its only output, back to the wallet. */
  change: Utxo
  /** First slot in which it is no longer valid. */
  timeToLive: number
}

/** What {@link buildTransaction} puts together. */
export interface TransactionPlan {
  auxiliaryData: Uint8Array
  /** All of them are spent. */
  coins: Utxo[]
  parameters: ProtocolParameters
  timeToLive: number
  feeCap: bigint
}

interface Freeable {
  free(): void
}

/** Frees what it was given, newest first, when its block ends. */
class WasmScope implements Disposable {
  readonly #owned: Freeable[] = []

  keep<T extends Freeable>(object: T): T {
    this.#owned.push(object)
    return object
  }

  [Symbol.dispose](): void {
    for (const object of this.#owned.reverse()) object.free()
  }
}

/** Address of a key without a stake part (CIP-19), bech32. @param seed - 32 bytes. */
export function enterpriseAddress(seed: Uint8Array, isMainnet: boolean): string {
  using scope = new WasmScope()
  const key = scope.keep(csl.PrivateKey.from_normal_bytes(seed))
  const keyHash = scope.keep(scope.keep(key.to_public()).hash())
  const credential = scope.keep(csl.Credential.from_keyhash(keyHash))
  const network = isMainnet ? csl.NetworkInfo.mainnet() : csl.NetworkInfo.testnet_preprod()
  const networkId = scope.keep(network).network_id()
  return scope.keep(scope.keep(csl.EnterpriseAddress.new(networkId, credential)).to_address()).to_bech32()
}

/**
 * Spends coins into one output of the same address, with metadata and a time to live, and signs it.
 * @throws {@link ChainError} `INSUFFICIENT_FUNDS`, `FEE_TOO_HIGH`, `TOO_LARGE`, or `MALFORMED` for metadata that
 * Cardano does not take.
 */
export function buildTransaction(seed: Uint8Array, address: string, plan: TransactionPlan): BuiltTransaction {
  using scope = new WasmScope()
  const key = scope.keep(csl.PrivateKey.from_normal_bytes(seed))
  const auxiliary = parseAuxiliary(scope, plan.auxiliaryData)
  let body: csl.TransactionBody
  try {
    body = scope.keep(buildBody(scope, key, address, auxiliary, plan))
  } catch (cause) {
    throw asBuildError(cause)
  }
  const fee = BigInt(scope.keep(body.fee()).to_str())
  if (fee > plan.feeCap) {
    throw new ChainError('FEE_TOO_HIGH', `the transaction would cost ${fee} lovelace; the cap is ${plan.feeCap}`)
  }
  const outputs = scope.keep(body.outputs())
  if (outputs.len() !== 1) throw new ChainError('INSUFFICIENT_FUNDS', 'the coins do not leave an output behind')
  const change = scope.keep(scope.keep(scope.keep(outputs.get(0)).amount()).coin()).to_str()
  const witnesses = scope.keep(csl.TransactionWitnessSet.new())
  const signed = scope.keep(
    csl.FixedTransaction.new_with_auxiliary(body.to_bytes(), witnesses.to_bytes(), plan.auxiliaryData, true)
  )
  signed.sign_and_add_vkey_signature(key)
  const id = parseTransactionId(scope.keep(signed.transaction_hash()).to_hex())
  const bytes = signed.to_bytes()
  if (bytes.length > plan.parameters.maxTransactionSize) {
    throw new ChainError('TOO_LARGE', `the transaction has ${bytes.length} bytes`)
  }
  return {
    id,
    bytes,
    fee,
    inputs: plan.coins,
    change: { transaction: id, index: 0, lovelace: BigInt(change) },
    timeToLive: plan.timeToLive
  }
}

function parseAuxiliary(scope: WasmScope, bytes: Uint8Array): csl.AuxiliaryData {
  try {
    const auxiliary = scope.keep(csl.AuxiliaryData.from_bytes(bytes))
    // The body commits to the bytes as the library writes them, and the transaction carries them as we do.
    if (!Buffer.from(auxiliary.to_bytes()).equals(bytes)) throw new Error('not in the form that is hashed')
    return auxiliary
  } catch (cause) {
    throw new ChainError('MALFORMED', `Cardano does not take this metadata: ${messageOf(cause)}`, { cause })
  }
}

function buildBody(
  scope: WasmScope,
  key: csl.PrivateKey,
  address: string,
  auxiliary: csl.AuxiliaryData,
  { coins, parameters, timeToLive }: TransactionPlan
): csl.TransactionBody {
  const number = (value: bigint | number): csl.BigNum => scope.keep(csl.BigNum.from_str(String(value)))
  const keyHash = scope.keep(scope.keep(key.to_public()).hash())
  const builder = scope.keep(csl.TransactionBuilder.new(builderConfig(scope, parameters)))
  for (const coin of coins) {
    const hash = scope.keep(csl.TransactionHash.from_bytes(fromHex(coin.transaction)))
    const input = scope.keep(csl.TransactionInput.new(hash, coin.index))
    builder.add_key_input(keyHash, input, scope.keep(csl.Value.new(number(coin.lovelace))))
  }
  builder.set_ttl_bignum(number(timeToLive))
  builder.set_auxiliary_data(auxiliary)
  builder.add_change_if_needed(scope.keep(csl.Address.from_bech32(address)))
  return builder.build()
}

function builderConfig(scope: WasmScope, parameters: ProtocolParameters): csl.TransactionBuilderConfig {
  const number = (value: bigint): csl.BigNum => scope.keep(csl.BigNum.from_str(String(value)))
  const fee = scope.keep(csl.LinearFee.new(number(parameters.feePerByte), number(parameters.feeBase)))
  const steps: ((builder: csl.TransactionBuilderConfigBuilder) => csl.TransactionBuilderConfigBuilder)[] = [
    builder => builder.fee_algo(fee),
    builder => builder.coins_per_utxo_byte(number(parameters.lovelacePerUtxoByte)),
    builder => builder.pool_deposit(number(parameters.poolDeposit)),
    builder => builder.key_deposit(number(parameters.keyDeposit)),
    builder => builder.max_value_size(parameters.maxValueSize),
    builder => builder.max_tx_size(parameters.maxTransactionSize)
  ]
  const first = scope.keep(csl.TransactionBuilderConfigBuilder.new())
  const last = steps.reduce((builder, step) => scope.keep(step(builder)), first)
  return scope.keep(last.build())
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 300)
}

/** The library throws plain text. */
function asBuildError(cause: unknown): ChainError {
  const message = messageOf(cause)
  if (/maximum transaction size/i.test(message)) return new ChainError('TOO_LARGE', message, { cause })
  if (/insufficient|not enough|UTxO Balance/i.test(message))
    return new ChainError('INSUFFICIENT_FUNDS', message, { cause })
  return new ChainError('MALFORMED', `the transaction cannot be built: ${message}`, { cause })
}
