/**
 * Ports that browsers, and `fetch` and `WebSocket` of Node.js, refuse to connect to: "bad ports" of the Fetch standard,
 * https://fetch.spec.whatwg.org/#port-blocking, as far as a program may listen on them without special rights.
 */
const BLOCKED = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080
])

/** Whether nobody could open an app that is served at this port. */
export const isBlockedByBrowsers = (port: number): boolean => BLOCKED.has(port)
