/** This origin's localStorage, null where the browser keeps nothing. Only looks and sizes go there, and that there was an account: never anything private. */
export function ownStorage(): Storage | null {
  try {
    return window.localStorage
  } catch {
    return null
  }
}
