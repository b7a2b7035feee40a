/** The URL under which people on this machine reach a listener. */
export function localUrl(host: string, port: number): string {
  const shown = isOpen(host) ? '127.0.0.1' : host
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`
}

/** Whether a listener accepts connections from all networks, under all names of this machine. */
export function isOpen(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}
