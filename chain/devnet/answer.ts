/** What a route answers with; `body` becomes JSON. */
export interface Answer {
  status: number
  body: unknown
}

/** Blockfrost's form of an error. */
export function errorAnswer(status: number, error: string, message: string): Answer {
  return { status, body: { status_code: status, error, message } }
}

/** Blockfrost's answer for everything that is not there. */
export const NOT_FOUND = errorAnswer(404, 'Not Found', 'The requested component has not been found.')
