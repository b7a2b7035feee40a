/** A byte string as WebCrypto's types want it; its methods copy what they are given. */
export function source(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>
}

/** Whether a trial of an algorithm succeeds; platforms announce a missing one by throwing. */
export async function works(trial: () => Promise<boolean>): Promise<boolean> {
  try {
    return await trial()
  } catch {
    return false
  }
}
