import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'vite'

/** What the app needs to open without a network. */
const KEPT = /\.(html|js|css|woff2|svg|png|webmanifest)$/
const FILE_NAME = 'service-worker.js'

/** A file of the app. Names below `assets/` change with their content; the others carry a revision. */
interface KeptFile {
  url: string
  revision: string | null
}

/**
 * Builds the service worker after everything else and gives it the list of all files as `__VOLO_FILES__`.
 * @param source - the worker's file.
 */
export function keepOffline(source: string): Plugin {
  let outDir = ''
  return {
    name: 'volo:keep-offline',
    apply: 'build',
    configResolved: config => {
      outDir = config.build.outDir
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      handler: async () => {
        await build({
          configFile: false,
          logLevel: 'warn',
          define: { __VOLO_FILES__: JSON.stringify(keptFiles(outDir)) },
          build: {
            outDir,
            emptyOutDir: false,
            copyPublicDir: false,
            target: 'es2023',
            modulePreload: false,
            rolldownOptions: { input: source, output: { entryFileNames: FILE_NAME } }
          }
        })
      }
    }
  }
}

function keptFiles(outDir: string): KeptFile[] {
  return readdirSync(outDir, { recursive: true, encoding: 'utf8' })
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => KEPT.test(path) && path !== FILE_NAME)
    .sort()
    .map(url => ({ url, revision: url.startsWith('assets/') ? null : revisionOf(join(outDir, url)) }))
}

const revisionOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 32)
