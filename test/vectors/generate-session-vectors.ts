/** Writes session.json beside this file anew: `node test/vectors/generate-session-vectors.ts`. Only for a new version. */
import { writeFileSync } from 'node:fs'
import { makeSessionVectors } from './session-vectors.ts'

const vectors = await makeSessionVectors()
writeFileSync(new URL('session.json', import.meta.url), `${JSON.stringify(vectors, null, 2)}\n`)
