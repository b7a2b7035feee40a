import type { Clock, Crypto, Random } from '../../../protocol/crypto/crypto.ts'
import { signInNonce } from '../../../protocol/identity/sign-in-binding.ts'
import type { NetworkId } from '../../../protocol/network.ts'
import type { Logger } from '../../ports.ts'
import { readProviders, type OidcProvider } from './provider-config.ts'
import { SignInProvider } from './sign-in-provider.ts'
import { SignInService } from './sign-in-service.ts'

/** Which providers a node offers. */
export interface SignInInit {
  network: NetworkId
  /** File that names real providers. */
  providersFile: string | undefined
  /** The demo provider of this node, and the URL under which this process reaches itself. */
  demo: { config: OidcProvider; localUrl: string } | undefined
  /** Sign-in with a Cardano wallet. */
  wallet: boolean
}

/** Makes the sign-in service. @throws ConfigError if the file of providers cannot be used. */
export function createSignIn(
  { crypto, clock, random, logger }: { crypto: Crypto; clock: Clock; random: Random; logger: Logger },
  { network, providersFile, demo, wallet }: SignInInit
): SignInService {
  const configured = providersFile ? readProviders(providersFile) : []
  const providers = configured.map(provider => new SignInProvider(provider))
  if (demo) {
    const { origin } = new URL(demo.config.issuer)
    providers.push(
      new SignInProvider(demo.config, {
        // The demo provider is this node: the node asks itself over loopback, wherever its public name leads.
        fetch: (url, options) => fetch(url.replace(origin, demo.localUrl), options as RequestInit)
      })
    )
  }
  return new SignInService(
    { providers, clock, random, logger },
    { wallet, nonceOf: (keys, salt) => signInNonce(crypto, network, keys, salt, random(32)) }
  )
}
