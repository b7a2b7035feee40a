import type { FastifyInstance } from 'fastify'
import type { DemoProvider } from '../accounts/demo-sign-in/demo-provider.ts'
import type { NodeConfig } from '../config/config.ts'

/** The demo provider with its pages. */
export interface DemoSignIn {
  provider: DemoProvider
  addRoutes(app: FastifyInstance): void
}

/** Opens the demo provider, unless the settings name real providers. @param origin - under which browsers see this node. */
export async function openDemoSignIn(config: NodeConfig, origin: string): Promise<DemoSignIn | undefined> {
  if (!(config.demoSignIn ?? (config.signInProvidersFile === undefined && !config.walletSignIn))) return undefined
  // Loaded here, because a node with real providers has no use for it.
  const [{ DemoProvider }, { demoRoutes }] = await Promise.all([
    import('../accounts/demo-sign-in/demo-provider.ts'),
    import('./demo-sign-in-routes.ts')
  ])
  const provider = await DemoProvider.create(origin)
  return { provider, addRoutes: app => demoRoutes(app, provider, { publicUrl: config.publicUrl }) }
}
