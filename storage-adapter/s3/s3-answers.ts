/** The little of S3's XML that we read. Names of our objects need no escapes, so no XML parser is needed. */
import { errorOfStatus, textOf, type HttpAnswer } from '../http/http-call.ts'
import { StorageError } from '../errors.ts'

/** One page of a listing. */
export interface S3Listing {
  objects: { key: string; size: number }[]
  /** Where the next page begins; undefined on the last. */
  continuation: string | undefined
}

/** @throws StorageError `unavailable` for text that is no listing. */
export function readS3Listing(xml: string): S3Listing {
  if (!xml.includes('<ListBucketResult'))
    throw new StorageError('unavailable', 'S3 answers something that is no listing')
  const objects = [...xml.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)].flatMap(([, entry]) => {
    const key = element(entry!, 'Key')
    const size = Number(element(entry!, 'Size'))
    return key !== undefined && Number.isSafeInteger(size) && size >= 0 ? [{ key, size }] : []
  })
  const isTruncated = element(xml, 'IsTruncated') === 'true'
  return { objects, continuation: isTruncated ? unescape(element(xml, 'NextContinuationToken')) : undefined }
}

function element(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
}

const ENTITIES: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'" }

function unescape(text: string | undefined): string | undefined {
  return text?.replace(/&(amp|lt|gt|quot|apos);/g, entity => ENTITIES[entity]!)
}

const S3_CODES: Record<string, number> = {
  QuotaExceeded: 507,
  XMinioStorageFull: 507,
  SlowDown: 429,
  EntityTooLarge: 413,
  RequestTimeout: 503
}

/** The error of an answer that is not a success. */
export async function s3Error(answer: HttpAnswer): Promise<StorageError> {
  const code = element(await textOf(answer), 'Code') ?? ''
  return errorOfStatus(S3_CODES[code] ?? answer.status, code)
}
