/**
 * Hand-built transactions and metadata, each with what it must come to: `record` for the record of this file, hex for
 * other items of the list, `none` without the label, or the code of the reason.
 */
import { concatBytes, toHex } from '../../../protocol/bytes.ts'
import { encodeMetadata, recordsOfTransaction } from '../../../protocol/directory/metadata.ts'
import { blake2b256 } from '../../../protocol/directory/transaction.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import { encodeRecord } from '../../../protocol/identity/record.ts'
import { MAX_TRANSACTION_BYTES } from '../../../protocol/limits.ts'
import { genesis } from './cast.ts'
import {
  arr,
  FALSE,
  head,
  int,
  map,
  NULL,
  openArr,
  openMap,
  openStr,
  rawTransaction,
  str,
  tag,
  TRUE,
  txt
} from './raw-cbor.ts'
import { createRecord } from './test-chain.ts'

const LABEL = genesis.metadataLabel
/** The record in it. */
export const record = encodeRecord(await createRecord('ada'))
const label = int(LABEL)
const wrapped = map([int(0), int(1)], [int(1), arr(record)])
/** Plain auxiliary data with one record. */
export const shelley = encodeMetadata(LABEL, [record])
const script = arr(int(0), str(new Uint8Array(28)))

const nested = (depth: number): Uint8Array => concatBytes(new Uint8Array(depth).fill(0x81), int(0))

/** Auxiliary data, and what a transaction with it comes to. */
export const metadataCases: [string, Uint8Array, string][] = [
  ['the plain form', shelley, 'record'],
  ['the form with scripts', arr(shelley, arr()), 'record'],
  ['the form with a script', arr(shelley, arr(script)), 'record'],
  ['the tagged form', tag(259, map([int(0), shelley])), 'record'],
  ['the tagged form with scripts', tag(259, map([int(0), shelley], [int(1), arr(script)])), 'record'],
  ['the tagged form, scripts first', tag(259, map([int(1), arr(script)], [int(0), shelley])), 'record'],
  ['the tagged form without metadata', tag(259, map([int(1), arr(script)])), 'none'],
  [
    'the tagged form with its metadata twice',
    tag(259, map([int(0), shelley], [int(0), shelley])),
    'MALFORMED_AUXILIARY_DATA'
  ],
  ['another tag', tag(258, map([int(0), shelley])), 'MALFORMED_AUXILIARY_DATA'],
  ['the tag on an array', tag(259, arr(shelley)), 'MALFORMED_AUXILIARY_DATA'],
  ['an array of three', arr(shelley, arr(), arr()), 'MALFORMED_AUXILIARY_DATA'],
  ['an array of one', arr(shelley), 'MALFORMED_AUXILIARY_DATA'],
  ['an array that begins with no map', arr(arr(), arr()), 'MALFORMED_AUXILIARY_DATA'],
  ['an integer', int(5), 'MALFORMED_AUXILIARY_DATA'],
  ['an open array around plain metadata', openArr(shelley, arr()), 'record'],
  ['an open map of labels', openMap([label, wrapped]), 'record'],
  ['the label in a longer spelling', map([int(LABEL, 8), wrapped]), 'record'],
  ['no label at all', map(), 'none'],
  ['another label', map([int(LABEL + 1), wrapped]), 'none'],
  ['the label as a negative number', map([head(1, LABEL), wrapped]), 'none'],
  ['the label as bytes', map([str(label), wrapped]), 'none'],
  ['the label among others', map([int(674), map([txt('msg'), arr(txt('hi'))])], [label, wrapped]), 'record'],
  ['the label twice', map([label, wrapped], [label, wrapped]), 'MALFORMED_AUXILIARY_DATA'],
  ['the label twice in two spellings', map([label, wrapped], [int(LABEL, 8), wrapped]), 'MALFORMED_AUXILIARY_DATA'],
  ['the highest label beside ours', map([label, wrapped], [int(2n ** 64n - 1n), int(0)]), 'record'],
  ['deep nesting under another label', map([int(1), nested(10_000)], [label, wrapped]), 'record'],
  ['an empty list', map([label, map([int(0), int(1)], [int(1), arr()])]), ''],
  ['two records', map([label, map([int(0), int(1)], [int(1), arr(record, record)])]), 'record record'],
  [
    'junk between records',
    map([label, map([int(0), int(1)], [int(1), arr(int(7), record, txt('x'))])]),
    '07 record 6178'
  ],
  ['a later version', map([label, map([int(0), int(2)], [int(2), str(new Uint8Array(32))])]), 'UNKNOWN_VERSION'],
  ['version 0', map([label, map([int(0), int(0)], [int(1), arr(record)])]), 'UNKNOWN_VERSION'],
  ['no version', map([label, map([int(1), arr(record)])]), 'MALFORMED_WRAPPING'],
  ['the version after the list', map([label, map([int(1), arr(record)], [int(0), int(1)])]), 'MALFORMED_WRAPPING'],
  ['the version twice', map([label, map([int(0), int(1)], [int(0), int(1)])]), 'MALFORMED_WRAPPING'],
  ['a third key', map([label, map([int(0), int(1)], [int(1), arr(record)], [int(2), int(0)])]), 'MALFORMED_WRAPPING'],
  ['a list that is missing', map([label, map([int(0), int(1)])]), 'MALFORMED_WRAPPING'],
  ['an open wrapping', map([label, openMap([int(0), int(1)], [int(1), arr(record)])]), 'MALFORMED_WRAPPING'],
  ['an open list', map([label, map([int(0), int(1)], [int(1), openArr(record)])]), 'MALFORMED_WRAPPING'],
  [
    'a version in a longer spelling',
    map([label, map([int(0), int(1, 1)], [int(1), arr(record)])]),
    'MALFORMED_WRAPPING'
  ],
  ['a list under bytes', map([label, map([int(0), int(1)], [int(1), str(record.slice(0, 60))])]), 'MALFORMED_WRAPPING'],
  ['an array in place of the wrapping', map([label, arr(int(1), arr(record))]), 'MALFORMED_WRAPPING'],
  [
    'a list of 2^32 - 1',
    map([label, concatBytes(head(5, 2), int(0), int(1), int(1), head(4, 2 ** 32 - 1))]),
    'MALFORMED'
  ],
  [
    'a record with a 65-byte string',
    map([label, map([int(0), int(1)], [int(1), arr(arr(int(1), str(new Uint8Array(65))))])]),
    'record'
  ],
  ['a record in an open array', map([label, map([int(0), int(1)], [int(1), arr(openArr(int(1)))])]), '9f01ff'],
  [
    'a chunked string',
    map([label, map([int(0), int(1)], [int(1), arr(openStr(Uint8Array.of(1), Uint8Array.of(2)))])]),
    '5f41014102ff'
  ]
]

/** A transaction as usual, and its body. */
export const plain = rawTransaction({ aux: shelley })
const bodyEnd = plain.length - shelley.length - 2
export const replaceBody = (...items: Uint8Array[]): Uint8Array => concatBytes(head(4, items.length), ...items)
export const body = plain.subarray(1, bodyEnd)

const bare = rawTransaction({})
/** A body without auxiliary data. */
const bareBody = bare.subarray(1, bare.length - 3)
/** Of a sub-transaction: no fee. */
const subBody = map([int(0), arr()], [int(1), arr()], [int(7), str(blake2b256(shelley))])
const subEntry: [Uint8Array, Uint8Array] = [int(23), arr(arr(subBody, map(), shelley))]
const parent = rawTransaction({ more: [subEntry] })
const parentBody = parent.subarray(1, parent.length - 3)

/** Raw transactions, and what each comes to. */
export const transactionCases: [string, Uint8Array, string][] = [
  ['a plain transaction', plain, 'record'],
  ['one without auxiliary data', rawTransaction({}), 'none'],
  ['one from before Alonzo, of three items', replaceBody(body, map(), shelley), 'record'],
  ['one whose scripts failed', replaceBody(body, map(), FALSE, shelley), 'FAILED_SCRIPTS'],
  ['one with the mark last', replaceBody(body, map(), shelley, TRUE), 'record'],
  ['one whose scripts failed, with the mark last', replaceBody(body, map(), shelley, FALSE), 'FAILED_SCRIPTS'],
  ['one without auxiliary data, with the mark last', replaceBody(bareBody, map(), NULL, TRUE), 'none'],
  ['one with two marks', replaceBody(bareBody, map(), TRUE, TRUE), 'UNKNOWN_SHAPE'],
  ['one of three items, the last one a mark', replaceBody(bareBody, map(), TRUE), 'UNKNOWN_SHAPE'],
  ['a sub-transaction on its own', replaceBody(subBody, map(), shelley), 'SUB_TRANSACTION'],
  ['one whose sub-transaction has metadata', replaceBody(parentBody, map(), TRUE, NULL), 'none'],
  [
    'one with metadata, and a sub-transaction with others',
    rawTransaction({ aux: shelley, more: [subEntry] }),
    'record'
  ],
  ['a fee that is a fraction', rawTransaction({ aux: shelley, feeItem: tag(30, arr(int(1), int(2))) }), 'record'],
  ['a fee that is a float', rawTransaction({ aux: shelley, feeItem: Uint8Array.of(0xf9, 0x3c, 0) }), 'record'],
  ['a body key that is a text', rawTransaction({ aux: shelley, more: [[txt('fee'), int(1)]] }), 'record'],
  ['a body key that is negative', rawTransaction({ aux: shelley, more: [[head(1, 6), int(1)]] }), 'record'],
  ['one with a marker that is no boolean', replaceBody(body, map(), int(1), shelley), 'UNKNOWN_SHAPE'],
  ['one of two items', replaceBody(body, map()), 'UNKNOWN_SHAPE'],
  ['one of five items', replaceBody(body, map(), TRUE, shelley, NULL), 'UNKNOWN_SHAPE'],
  ['an open array', concatBytes(Uint8Array.of(0x9f), body, map(), TRUE, shelley, Uint8Array.of(0xff)), 'UNKNOWN_SHAPE'],
  ['one with bytes after it', concatBytes(plain, Uint8Array.of(0)), 'MALFORMED'],
  ['one that ends early', plain.slice(0, -1), 'MALFORMED'],
  ['nothing', new Uint8Array(0), 'MALFORMED'],
  ['an open body', rawTransaction({ aux: shelley, bodyOf: openMap }), 'record'],
  ['a body that is an array', replaceBody(arr(), map(), TRUE, NULL), 'MALFORMED'],
  ['witnesses that are an array', replaceBody(body, arr(), TRUE, shelley), 'UNKNOWN_SHAPE'],
  ['auxiliary data without its hash', rawTransaction({ aux: shelley, auxHash: null }), 'INVALID'],
  ['a hash without auxiliary data', rawTransaction({ auxHash: blake2b256(shelley) }), 'INVALID'],
  ['the hash of other data', rawTransaction({ aux: shelley, auxHash: blake2b256(plain) }), 'INVALID'],
  ['metadata changed after the fact', concatBytes(plain.subarray(0, -1), Uint8Array.of(plain.at(-1)! ^ 1)), 'INVALID'],
  ['a hash of 31 bytes', rawTransaction({ aux: shelley, auxHash: blake2b256(shelley).slice(1) }), 'UNKNOWN_SHAPE'],
  ['the hash twice', rawTransaction({ aux: shelley, more: [[int(7), str(blake2b256(shelley))]] }), 'UNKNOWN_SHAPE'],
  [
    'the hash twice in two spellings',
    rawTransaction({ aux: shelley, more: [[int(7, 1), str(blake2b256(shelley))]] }),
    'UNKNOWN_SHAPE'
  ],
  [
    'the hash in chunks',
    rawTransaction({ aux: shelley, auxHash: null, more: [[int(7), openStr(blake2b256(shelley))]] }),
    'UNKNOWN_SHAPE'
  ],
  [
    'a text in place of the hash',
    rawTransaction({ aux: shelley, auxHash: null, more: [[int(7), txt('x'.repeat(32))]] }),
    'UNKNOWN_SHAPE'
  ],
  ['unknown body entries', rawTransaction({ aux: shelley, more: [[int(99), nested(50)]] }), 'record'],
  [
    'a body of odd length',
    replaceBody(concatBytes(Uint8Array.of(0xbf), int(0), Uint8Array.of(0xff)), map(), TRUE, NULL),
    'MALFORMED'
  ],
  ['a reserved length', replaceBody(Uint8Array.of(0xbc), map(), TRUE, NULL), 'MALFORMED'],
  ['a break with nothing open', replaceBody(body, map(), Uint8Array.of(0xff), shelley), 'MALFORMED'],
  [
    'a body deeper than the stack of most parsers',
    rawTransaction({ aux: shelley, more: [[int(99), nested(40_000)]] }),
    'record'
  ],
  [
    'one that is too large',
    rawTransaction({ aux: shelley, more: [[int(99), str(new Uint8Array(MAX_TRANSACTION_BYTES))]] }),
    'TOO_LARGE'
  ],
  [
    'floats and simple values in the body',
    rawTransaction({
      aux: shelley,
      more: [
        [int(98), Uint8Array.of(0xfb, 0, 0, 0, 0, 0, 0, 0, 0)],
        [int(99), Uint8Array.of(0xf8, 99)]
      ]
    }),
    'record'
  ],
  [
    'a chunked text with bytes inside',
    rawTransaction({
      aux: shelley,
      more: [[int(99), concatBytes(Uint8Array.of(0x7f), str(Uint8Array.of(1)), Uint8Array.of(0xff))]]
    }),
    'MALFORMED'
  ],
  ['an open tag', rawTransaction({ aux: shelley, more: [[int(99), Uint8Array.of(0xdf, 0)]] }), 'MALFORMED']
]

/** What a transaction comes to: its records as hex, or why there are none. */
export function outcome(transaction: Uint8Array): string {
  try {
    const { metadata } = recordsOfTransaction(transaction, LABEL)
    if (metadata.kind === 'records')
      return metadata.records.map(item => (item.length > 40 ? 'record' : toHex(item))).join(' ')
    return metadata.kind === 'none' ? 'none' : metadata.code
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
}
