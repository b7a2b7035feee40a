/**
 * TLS in front of a node, as the operators' guide asks for: Caddy or nginx where the machine has one, else a stand-in on Node's
 * own TLS, which says that it is one.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Certificate } from './test-authority.ts'

const READY_DEADLINE_MS = 30_000
const LOOK_MS = 50

/** One public port, and the node behind it. */
export interface ProxiedPort {
  publicPort: number
  nodePort: number
}

/** A proxy that runs. */
export interface TlsProxy {
  /** `caddy`, `nginx` or `stand-in`. */
  readonly kind: string
  stop(): Promise<void>
}

/** Programs that a test can put in front of nodes, in the order in which they are taken. */
const PROGRAMS = ['caddy', 'nginx'] as const

/** The real proxy of this machine; undefined if it has none. */
export function findProxy(): (typeof PROGRAMS)[number] | undefined {
  return PROGRAMS.find(program => spawnSync(program, [program === 'caddy' ? 'version' : '-v']).status === 0)
}

/** @param folder - an empty one, for the proxy's own files. */
export async function startTlsProxy(ports: ProxiedPort[], certificate: Certificate, folder: string): Promise<TlsProxy> {
  const program = findProxy()
  return program === undefined
    ? StandIn.start(ports, certificate)
    : RealProxy.start(program, ports, certificate, folder)
}

/** Caddy or nginx with a file of settings as small as the guide's. */
class RealProxy implements TlsProxy {
  readonly kind: string
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  private constructor(kind: string, child: ChildProcess) {
    this.kind = kind
    this.#child = child
    this.#ended = once(child, 'close')
  }

  static async start(
    program: (typeof PROGRAMS)[number],
    ports: ProxiedPort[],
    { certificate, key }: Certificate,
    folder: string
  ): Promise<RealProxy> {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'certificate.pem'), certificate)
    writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 })
    const settings = join(folder, 'settings')
    writeFileSync(settings, program === 'caddy' ? caddyfile(ports, folder) : nginxSettings(ports, folder))
    const args =
      program === 'caddy' ? ['run', '--adapter', 'caddyfile', '--config', settings] : ['-p', folder, '-c', settings]
    const child = spawn(program, args, { stdio: 'ignore', env: { PATH: process.env['PATH'], HOME: folder } })
    const proxy = new RealProxy(program, child)
    await Promise.all(ports.map(({ publicPort }) => untilOpen(publicPort, child)))
    return proxy
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#ended
  }
}

const caddyfile = (ports: ProxiedPort[], folder: string): string =>
  [
    '{\n  admin off\n  auto_https off\n}',
    ...ports.map(
      ({ publicPort, nodePort }) =>
        `https://localhost:${publicPort} {\n  tls ${folder}/certificate.pem ${folder}/key.pem\n  reverse_proxy 127.0.0.1:${nodePort}\n}`
    )
  ].join('\n')

const nginxSettings = (ports: ProxiedPort[], folder: string): string => `
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  client_max_body_size 0;
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${folder}/${kind};`).join('\n  ')}
  ${ports
    .map(
      ({ publicPort, nodePort }) => `server {
    listen 127.0.0.1:${publicPort} ssl;
    ssl_certificate ${folder}/certificate.pem;
    ssl_certificate_key ${folder}/key.pem;
    location / {
      proxy_pass http://127.0.0.1:${nodePort};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto https;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_read_timeout 1h;
    }
  }`
    )
    .join('\n  ')}
}
`

async function untilOpen(port: number, child: ChildProcess): Promise<void> {
  for (const end = Date.now() + READY_DEADLINE_MS; Date.now() < end; await sleep(LOOK_MS)) {
    if (child.exitCode !== null) throw new Error(`the TLS proxy ended at once with ${child.exitCode}`)
    const socket = connect(port, '127.0.0.1')
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false
    )
    socket.destroy()
    if (isOpen) return
  }
  throw new Error(`the TLS proxy does not listen on port ${port}`)
}

/** What stands in for a real proxy: TLS ends here, everything else goes on to the node, upgrades too. */
class StandIn implements TlsProxy {
  readonly kind = 'stand-in'
  readonly #servers: Server[]
  readonly #sockets: Set<Socket>

  private constructor(servers: Server[], sockets: Set<Socket>) {
    this.#servers = servers
    this.#sockets = sockets
  }

  static async start(ports: ProxiedPort[], { certificate, key }: Certificate): Promise<StandIn> {
    const sockets = new Set<Socket>()
    const servers = ports.map(({ nodePort }) => proxyTo(nodePort, createServer({ cert: certificate, key })))
    for (const [index, server] of servers.entries()) {
      server.on('secureConnection', socket => {
        sockets.add(socket)
        // A browser or a node may go at any time, also in the middle of an answer.
        socket.on('error', () => socket.destroy())
        socket.once('close', () => sockets.delete(socket))
      })
      server.listen(ports[index]!.publicPort, '127.0.0.1')
      await once(server, 'listening')
    }
    return new StandIn(servers, sockets)
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(this.#servers.map(server => new Promise(resolve => server.close(resolve))))
  }
}

function proxyTo(port: number, server: Server): Server {
  const options = ({ method, url, headers, socket }: IncomingMessage) => ({
    port,
    host: '127.0.0.1',
    method: method!,
    path: url!,
    headers: {
      ...headers,
      'x-forwarded-for': socket.remoteAddress,
      'x-forwarded-host': headers.host,
      'x-forwarded-proto': 'https'
    }
  })
  server.on('request', (incoming, outgoing) => {
    const onward = request(options(incoming), answer => {
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(outgoing)
      answer.on('error', () => outgoing.destroy())
    })
    onward.on('error', () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()))
    incoming.pipe(onward)
  })
  server.on('upgrade', (incoming, socket: Socket, head) => {
    const onward = request(options(incoming))
    onward.on('error', () => socket.destroy())
    onward.on('response', answer => {
      socket.end(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nconnection: close\r\n\r\n`)
      answer.resume()
    })
    onward.on('upgrade', (answer, inner: Socket, innerHead) => {
      const lines = Object.entries(answer.headers).map(([field, value]) => `${field}: ${String(value)}`)
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`)
      if (innerHead.length > 0) socket.write(innerHead)
      if (head.length > 0) inner.write(head)
      for (const [one, other] of [
        [socket, inner],
        [inner, socket]
      ] as const) {
        one.on('error', () => other.destroy())
        one.once('close', () => other.destroy())
        one.pipe(other)
      }
    })
    onward.end()
  })
  return server
}
