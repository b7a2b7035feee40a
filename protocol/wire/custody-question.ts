/** What anybody may ask a node over HTTP: does it still hold these deliveries? Its answer is signed, either way. */
import { decode, encode, list, nullable, struct, uint, type TypeOf } from '../codec.ts'
import { denialCodec, receiptCodec } from './custody.ts'
import { deliveryReferenceCodec } from './node-frames.ts'

/** Deliveries in one question: each denial costs the node a signature. */
export const MAX_QUESTIONED_DELIVERIES = 16
/** Longest encoded question, in bytes. */
export const MAX_QUESTION_BYTES = 2 * 1024
/** Longest encoded answer, in bytes. */
export const MAX_ANSWER_BYTES = 8 * 1024
const LIMITS = { maxDepth: 5, maxItems: 512 }

/** Deliveries of one shard, under one list of nodes. */
export const custodyQuestionCodec = struct({
  epoch: uint(),
  shard: uint(0xffff),
  deliveries: list(deliveryReferenceCodec, MAX_QUESTIONED_DELIVERIES, 1)
})
export type CustodyQuestion = TypeOf<typeof custodyQuestionCodec>

/** A receipt over what is held, in the order of the question, and a denial of each of the others. */
export const custodyAnswerCodec = struct({
  receipt: nullable(receiptCodec),
  denied: list(struct({ index: uint(MAX_QUESTIONED_DELIVERIES), denial: denialCodec }), MAX_QUESTIONED_DELIVERIES)
})
export type CustodyAnswer = TypeOf<typeof custodyAnswerCodec>

export const encodeCustodyQuestion = (question: CustodyQuestion): Uint8Array => encode(custodyQuestionCodec, question)
export const encodeCustodyAnswer = (answer: CustodyAnswer): Uint8Array => encode(custodyAnswerCodec, answer)

/** @throws ProtocolError `TOO_LARGE`, `MALFORMED`. */
export const decodeCustodyQuestion = (bytes: Uint8Array): CustodyQuestion =>
  decode(custodyQuestionCodec, bytes, { maxBytes: MAX_QUESTION_BYTES, ...LIMITS })

/** @throws ProtocolError `TOO_LARGE`, `MALFORMED`. */
export const decodeCustodyAnswer = (bytes: Uint8Array): CustodyAnswer =>
  decode(custodyAnswerCodec, bytes, { maxBytes: MAX_ANSWER_BYTES, ...LIMITS })
