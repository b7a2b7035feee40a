import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'
import { keepOffline } from './keep-offline.ts'
import { leftOut } from './left-out.ts'
import { thirdParty } from './third-party.ts'

const fromHere = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const { version } = JSON.parse(readFileSync(fromHere('../package.json'), 'utf8')) as { version: string }

/**
 * `vite build web --mode fixture` puts a scripted peer where the real one is, for screenshots of every state. It goes to a
 * folder of its own and never into what a node serves.
 */
function scriptedPeer(): Plugin {
  return {
    name: 'volo:scripted-peer',
    enforce: 'pre',
    resolveId: source =>
      source.endsWith('/peer/browser-peer.ts') ? fromHere('../test/support/fake-browser-peer.ts') : undefined
  }
}

export default defineConfig(({ mode }) => {
  const fixture = mode === 'fixture'
  const { collect, write } = thirdParty()
  const seams = () => [...(fixture ? [scriptedPeer()] : []), leftOut(), collect()]
  return {
    root: fromHere('.'),
    // Relative addresses: the same files work below any path, and from any node.
    base: './',
    define: { __VOLO_VERSION__: JSON.stringify(version) },
    plugins: [
      ...seams(),
      write(),
      svelte({ configFile: fromHere('svelte.config.js') }),
      keepOffline(fromHere('src/pwa/service-worker.ts'))
    ],
    // The browser store wants one class of Node's; nothing else in the bundle is Node's.
    resolve: { alias: { events: fromHere('src/worker/event-emitter.ts') } },
    worker: {
      format: 'es' as const,
      plugins: seams,
      rolldownOptions: {
        output: {
          // Two files for what every start loads. Otherwise each module that a later file shares with it is a file of its own.
          codeSplitting: {
            groups: [
              { name: 'peer-worker-base', test: /[\\/]web[\\/]src[\\/](?:worker|state)[\\/]/, priority: 2 },
              { name: 'browser-peer-base', test: /[\\/]peer[\\/]browser-peer\.ts$/, priority: 1 }
            ]
          }
        }
      }
    },
    build: {
      outDir: fromHere(fixture ? '../dist/web-fixture' : '../dist/web'),
      emptyOutDir: true,
      target: 'es2023',
      // Everything is a file of this origin: `data:` scripts and fonts would need a weaker Content-Security-Policy.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 1_200
    }
  }
})
