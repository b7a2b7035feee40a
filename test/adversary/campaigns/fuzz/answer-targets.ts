/** Parsers of what Blockfrost servers and nodes answer, of proof files, and of what a person types at `volo-verify`. */
import { decodeAddress } from '../../../../chain/devnet/cardano-address.ts'
import {
  parseBlock,
  parseIdentity,
  parseLabelRows,
  parseParameters,
  parsePlace,
  parseTransactionCbor,
  parseUtxoRows
} from '../../../../chain/source/blockfrost-answers.ts'
import { metadataOf, parseRawTransaction } from '../../../../chain/source/raw-transaction.ts'
import { decodeWebManifest, encodeWebManifest } from '../../../../chain/verify/web-manifest.ts'
import { parseArguments } from '../../../../chain/verify/arguments.ts'
import { parseGenesis, parseNetworkAnswer } from '../../../../chain/verify/sources/network-parameters.ts'
import { decodeProofFile, encodeProofFile } from '../../../../chain/verify/sources/proof-file.ts'
import { parseRecordReference, parseSubject } from '../../../../chain/verify/checks/subject.ts'
import { parseNetworkInfo } from '../../../../peer/network/network-info.ts'
import { toHex } from '../../../../protocol/bytes.ts'
import { encodeMetadata } from '../../../../protocol/directory/metadata.ts'
import { encodeProof } from '../../../../protocol/directory/proofs/proof.ts'
import type { AccountId } from '../../../../protocol/identity/device.ts'
import { bytesOf, crypto, genesis, network } from '../../../support/directory/cast.ts'
import { proofOf, publish } from '../../../support/directory/published.ts'
import { idOf, createRecord } from '../../../support/directory/test-chain.ts'
import { sampleRecords } from './directory-targets.ts'
import { bytesTarget, jsonTarget, textTarget, type FuzzTarget } from './fuzz-target.ts'

const hash = toHex(bytesOf('hash'))
const { transaction } = publish(sampleRecords, 10)
const accountId = idOf(await createRecord('fuzz')) as Uint8Array as AccountId
const proof = encodeProof(proofOf(accountId, [publish(sampleRecords, 10)]))

const genesisJson = {
  ...genesis,
  nameSalt: toHex(genesis.nameSalt),
  releaseKey: genesis.releaseKey && toHex(genesis.releaseKey),
  admittedOperators: [hash]
}
const networkAnswer = {
  networkId: toHex(network),
  genesis: { ...genesisJson, admittedOperators: [] },
  epoch: {
    number: 0,
    seed: hash,
    nodes: [{ key: hash, operator: hash, url: 'https://node.example', link: '/ip4/192.0.2.1/tcp/1' }]
  },
  node: hash,
  chain: { label: 'preprod', emulated: false }
}
const manifest = {
  format: 'volo/1/web-manifest' as const,
  version: '1.0.0',
  files: ['assets/app.js', 'index.html'].map(path => ({ path, size: 7, sha256: hash }))
}
const COMMAND_LINES = [
  'account @ada --node https://node.example --json',
  'record 00#1 --blockfrost https://chain.example --project-id-file id --min-conf 3',
  'proof export @ada --out file --trust-level L2',
  'monitor @ada --interval 5 --state file --once'
]

export const answerTargets: readonly FuzzTarget[] = [
  jsonTarget('block', [{ hash, height: 1, slot: 2, time: 3 }], parseBlock),
  jsonTarget('place', [{ hash, block: hash, block_height: 1, block_time: 2, slot: 3, index: 4 }], parsePlace),
  jsonTarget('page of a label', [[{ tx_hash: hash }, { tx_hash: hash }]], parseLabelRows),
  jsonTarget('CBOR of a transaction', [{ cbor: toHex(transaction) }], parseTransactionCbor),
  jsonTarget('identity of a chain', [{ network_magic: 1, system_start: 2 }], parseIdentity),
  jsonTarget(
    'protocol parameters',
    [
      {
        min_fee_a: 44,
        min_fee_b: 155_381,
        max_tx_size: 16_384,
        key_deposit: '2000000',
        pool_deposit: '500000000',
        max_val_size: '5000',
        coins_per_utxo_size: '4310'
      }
    ],
    parseParameters
  ),
  jsonTarget(
    'unspent outputs',
    [[{ tx_hash: hash, output_index: 0, amount: [{ unit: 'lovelace', quantity: '5000000' }] }]],
    parseUtxoRows
  ),
  jsonTarget('genesis', [genesisJson, { genesis: genesisJson }], parseGenesis),
  jsonTarget('network as volo-verify reads it', [networkAnswer], json => parseNetworkAnswer(crypto, json)),
  jsonTarget('network as a peer reads it', [networkAnswer], json =>
    parseNetworkInfo(crypto, json, 'https://node.example')
  ),
  bytesTarget('raw transaction', [transaction], parseRawTransaction),
  bytesTarget('labels of a transaction', [encodeMetadata(genesis.metadataLabel, sampleRecords)], metadataOf),
  bytesTarget('proof file', [encodeProofFile({ genesis, username: 'ada', proof }), proof], decodeProofFile),
  bytesTarget('manifest of the web app', [encodeWebManifest(manifest)], decodeWebManifest, encodeWebManifest),
  textTarget('subject', ['@ada', hash], parseSubject),
  textTarget('record reference', [`${hash}#12`], parseRecordReference),
  textTarget('address', ['addr_test1vzpwq95z3xyum8vqndgdd9mdnmafh3djcxnc6jemlgdmswcve6tkw'], decodeAddress),
  textTarget('command line', COMMAND_LINES, line => parseArguments(line.split(' ')))
]
