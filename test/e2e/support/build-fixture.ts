import { buildFixture } from '../../support/fixture-app.ts'

/** Before all stories: the app with its scripted peer, which several of them open. */
export default buildFixture
