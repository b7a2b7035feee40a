/** A `multipart/form-data` body (RFC 7578) with one file that is streamed, of a length that is known before it is sent. */
import { randomUUID } from 'node:crypto'
import { utf8 } from '../../protocol/bytes.ts'
import type { ByteStream } from '../storage-adapter.ts'

/** What {@link multipartBody} makes. */
export interface MultipartBody {
  contentType: string
  bytes: number
  content: () => ByteStream
}

/**
 * @param fields - text fields; names and values are ours, without quotes or line breaks.
 * @param file - comes last, as the field `file`.
 */
export function multipartBody(
  fields: Record<string, string>,
  file: { name: string; size: number; content: () => ByteStream }
): MultipartBody {
  const boundary = `volo-${randomUUID()}`
  const texts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  )
  const head = utf8(
    `${texts.join('')}--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${file.name}"\r\n` +
      'content-type: application/octet-stream\r\n\r\n'
  )
  const tail = utf8(`\r\n--${boundary}--\r\n`)
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    bytes: head.length + file.size + tail.length,
    content: async function* () {
      yield head
      yield* file.content()
      yield tail
    }
  }
}
