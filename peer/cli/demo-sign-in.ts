/** Goes through the pages of the demo sign-in without a browser: cookies, redirects and forms. */
import { commandError } from './errors.ts'
import type { HttpClient } from '../ports.ts'

const MAX_STEPS = 20
const MAX_PAGE_CHARS = 256 * 1024

/**
 * Signs in as `user`.
 *
 * @param url - where `startSignIn` sends the browser.
 * @param returnTo - the address given to `startSignIn`; only recognised, never opened.
 * @returns the one-time code.
 * @throws CommandError whose code says what is wrong with the sign-in.
 */
export async function demoSignIn(
  fetch: HttpClient,
  url: string,
  returnTo: string,
  user: string,
  signal: AbortSignal
): Promise<string> {
  const { origin } = new URL(url)
  const cookies = new Map<string, string>()
  let request: { url: string; body?: URLSearchParams } = { url }
  for (let step = 0; step < MAX_STEPS; step++) {
    const answer = await fetch(request.url, {
      redirect: 'manual',
      signal,
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '), accept: 'text/html' },
      ...(request.body ? { method: 'POST', body: request.body } : {})
    })
    keepCookies(cookies, answer)
    const location = answer.headers.get('location')
    if (location !== null) {
      const next = new URL(location, request.url).href
      if (next.startsWith(returnTo)) return codeOf(next)
      // Only a form of the node itself may be filled in.
      if (new URL(next).origin !== origin) throw commandError('sign-in-leads-away', { origin })
      request = { url: next }
      continue
    }
    const page = (await answer.text()).slice(0, MAX_PAGE_CHARS)
    if (!answer.ok) throw commandError('sign-in-answered', { status: answer.status })
    request = fillForm(page, request.url, user)
    if (new URL(request.url).origin !== origin) throw commandError('sign-in-leads-away', { origin })
  }
  throw commandError('sign-in-endless', {})
}

function keepCookies(cookies: Map<string, string>, answer: Response): void {
  for (const line of answer.headers.getSetCookie()) {
    const [pair = '', ...attributes] = line.split(';')
    const split = pair.indexOf('=')
    if (split < 1) continue
    const name = pair.slice(0, split).trim()
    const value = pair.slice(split + 1).trim()
    const ended = attributes.some(attribute => /^\s*(max-age=0|expires=Thu, 01 Jan 1970)/i.test(attribute))
    if (ended || value === '') cookies.delete(name)
    else cookies.set(name, value)
  }
}

function codeOf(url: string): string {
  const { hash } = new URL(url)
  const query = new URLSearchParams(hash.slice(hash.indexOf('?') + 1))
  const code = query.get('code')
  if (code) return code
  const error = query.get('error')
  // Only a plain code is shown: the address comes from the provider.
  throw commandError('sign-in-refused', { error: error !== null && /^[\w-]{1,40}$/.test(error) ? error : null })
}

function fillForm(page: string, base: string, user: string): { url: string; body: URLSearchParams } {
  const form = /<form\b([^>]*)>([\s\S]*?)<\/form>/i.exec(page)
  if (!form) throw commandError('sign-in-without-form', {})
  const body = new URLSearchParams()
  for (const [, attributes = ''] of form[2]!.matchAll(/<input\b([^>]*)>/gi)) {
    const name = attribute(attributes, 'name')
    const type = attribute(attributes, 'type') ?? 'text'
    if (name === undefined || type === 'submit') continue
    body.set(name, type === 'text' || name === 'login' ? user : (attribute(attributes, 'value') ?? ''))
  }
  return { url: new URL(attribute(form[1]!, 'action') ?? base, base).href, body }
}

function attribute(attributes: string, name: string): string | undefined {
  const found = new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(attributes)
  const value = found?.[1] ?? found?.[2] ?? found?.[3]
  return value?.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'")
}
