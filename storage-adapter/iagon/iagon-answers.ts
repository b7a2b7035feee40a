/**
 * What Iagon's gateway answers, as public clients of it read it. Only what we use is checked, everything else may be there: the
 * answers differ between versions of the gateway.
 */
import { z } from 'zod'
import { StorageError } from '../errors.ts'
import { errorOfStatus, textOf, type HttpAnswer } from '../http/http-call.ts'

/** Ids end up in paths of requests. */
const id = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/)

/** Older clients see `id`, newer ones `_id`. */
const withId = z
  .looseObject({ _id: id.optional(), id: id.optional() })
  .refine(value => value._id !== undefined || value.id !== undefined, 'neither "_id" nor "id"')
  .transform(value => ({ id: (value._id ?? value.id)! }))

const fileSchema = z
  .looseObject({
    _id: id.optional(),
    id: id.optional(),
    name: z.string(),
    file_size_byte_native: z.coerce.number().int().min(0)
  })
  .refine(value => value._id !== undefined || value.id !== undefined, 'neither "_id" nor "id"')
  .transform(value => ({ id: (value._id ?? value.id)!, name: value.name, size: value.file_size_byte_native }))

const listingSchema = z.looseObject({ files: z.array(z.unknown()).max(100_000).default([]) })

/** A file in a listing. */
export type IagonFile = z.output<typeof fileSchema>

/** The id of an upload's answer. */
export const readUpload = (data: unknown): string => parse(withId, data, 'an upload').id

/** The files of a listing; entries that are no files of ours to read are left out. */
export function readListing(data: unknown): IagonFile[] {
  const { files } = parse(listingSchema, data, 'a listing')
  return files.map(file => fileSchema.safeParse(file)).flatMap(result => (result.success ? [result.data] : []))
}

function parse<T>(schema: z.ZodType<T>, data: unknown, what: string): T {
  const result = schema.safeParse(data)
  if (result.success) return result.data
  throw new StorageError(
    'unavailable',
    `Iagon's answer to ${what} is not understood: ${result.error.issues[0]?.message}`
  )
}

/** Words of a message that say what a status hides, because failures come as 200 or 400 too. */
const MESSAGES: [RegExp, number][] = [
  [/unauthori[sz]ed|api.?key|token (is )?(invalid|expired)|invalid token/i, 401],
  [/not found|does not exist|no such/i, 404],
  [/quota|insufficient (storage|space)|storage (is )?full|limit (reached|exceeded)/i, 507],
  [/too large|file size/i, 413],
  [/too many requests|rate limit/i, 429]
]

/**
 * The `data` of a JSON answer.
 * @throws StorageError for an answer that is not a success, also one that says so with status 200.
 */
export async function readData(answer: HttpAnswer): Promise<unknown> {
  const text = await textOf(answer)
  const json = asObject(text)
  const isOk = answer.status >= 200 && answer.status < 300
  if (isOk && json === undefined) throw new StorageError('unavailable', 'Iagon answers something that is not JSON')
  if (isOk && json!['success'] !== false) return json!['data']
  const message = typeof json?.['message'] === 'string' ? json['message'] : ''
  throw errorOfStatus(statusFor(answer.status, message), message)
}

/** A refusal that comes as 200, or as a 400 that can mean anything, gets the status that its message means. */
function statusFor(status: number, message: string): number {
  if (status >= 300 && status !== 400) return status
  return MESSAGES.find(([words]) => words.test(message))?.[1] ?? (status === 400 ? 400 : 502)
}

function asObject(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
