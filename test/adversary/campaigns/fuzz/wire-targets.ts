/** Parsers of what goes over the wire. */
import { decodeEnvelope, encodeEnvelope } from '../../../../protocol/wire/envelope.ts'
import {
  decodeBatch,
  decodeGossipedRecords,
  decodeHeartbeat,
  decodeNodeLinkFrame,
  encodeBatch,
  encodeGossipedRecords,
  encodeHeartbeat,
  encodeNodeLinkFrame
} from '../../../../protocol/wire/node-frames.ts'
import {
  decodeClientFrame,
  decodeNodeFrame,
  encodeClientFrame,
  encodeNodeFrame
} from '../../../../protocol/wire/peer-frames.ts'
import { sampleRecords } from './directory-targets.ts'
import { bytesTarget, type FuzzTarget } from './fuzz-target.ts'
import {
  clientFrames,
  nodeFrames,
  nodeLinkFrames,
  sampleBatch,
  sampleEnvelope,
  sampleHeartbeat
} from './wire-samples.ts'

export const wireTargets: readonly FuzzTarget[] = [
  bytesTarget('envelope', [encodeEnvelope(sampleEnvelope)], decodeEnvelope, encodeEnvelope),
  bytesTarget(
    'frame of a client',
    clientFrames.map(encodeClientFrame),
    bytes => decodeClientFrame(bytes),
    encodeClientFrame
  ),
  bytesTarget('frame of a node', nodeFrames.map(encodeNodeFrame), decodeNodeFrame, encodeNodeFrame),
  bytesTarget('frame between nodes', nodeLinkFrames.map(encodeNodeLinkFrame), decodeNodeLinkFrame, encodeNodeLinkFrame),
  bytesTarget(
    'batch',
    [encodeBatch({ ...sampleBatch, envelopes: [...sampleBatch.envelopes] })],
    decodeBatch,
    encodeBatch
  ),
  bytesTarget('heartbeat', [encodeHeartbeat(sampleHeartbeat)], decodeHeartbeat, encodeHeartbeat),
  bytesTarget('gossiped records', [encodeGossipedRecords(sampleRecords)], decodeGossipedRecords, encodeGossipedRecords)
]
