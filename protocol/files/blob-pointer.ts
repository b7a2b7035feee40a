/** What finds and opens an encrypted file at nodes: it travels inside sealed messages and changes of groups. */
import { bytes, list, refine, struct, text, uint, type TypeOf } from '../codec.ts'
import { KEY_BYTES } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { MAX_ATTACHMENT_BYTES } from '../limits.ts'
import { MAX_PICTURE_BYTES } from './profile-picture.ts'

/** Nodes that are named as keeping a file. */
export const MAX_FILE_NODES = 4

/** An encrypted file at a node: found by the hash of its ciphertext, opened with its own key. */
export const blobCodec = struct({
  /** SHA-256 of the ciphertext. */
  hash: bytes(32),
  /** Bytes before encryption and padding. */
  size: uint(MAX_ATTACHMENT_BYTES),
  /** From which the key of its chunks follows, of this file alone. */
  key: bytes(KEY_BYTES),
  mediaType: text(127),
  /** Keys of the nodes that its sender handed it to, to be asked first. */
  nodes: list(bytes(32), MAX_FILE_NODES)
})

/** Finds and opens an encrypted file. */
export type BlobPointer = TypeOf<typeof blobCodec>

/** A pointer to a picture: one that says it is longer than {@link MAX_PICTURE_BYTES} is refused. */
export const pictureBlobCodec = refine(blobCodec, (blob, path) => {
  if (blob.size > MAX_PICTURE_BYTES) {
    throw new ProtocolError('TOO_LARGE', `"${path}" may have at most ${MAX_PICTURE_BYTES} bytes, got ${blob.size}`)
  }
  return blob
})
