// A bare WebSocket relay without authentication, acknowledgement or storage: the floor under any messenger's latency.
// Usage: node ws-relay.js <node_modules folder> <messages> <per second> <hops>; prints one JSON object with latencies in ms.
import { createRequire } from 'node:module'
import { once } from 'node:events'
import { join } from 'node:path'
import { fork } from 'node:child_process'

const [, file, folder, count, rate, hops, role, next] = process.argv
const { WebSocket, WebSocketServer } = createRequire(join(folder, 'package.json'))('ws')
const FRAME_BYTES = 512
/** Frames that do not count: as many as our own side gets, so that both run compiled code. */
const WARM_UP = 1500

/** Relays every frame to all other connections, and to the next relay if there is one. */
async function serve() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
  await once(server, 'listening')
  const onward = next ? new WebSocket(next, { perMessageDeflate: false }) : undefined
  if (onward) await once(onward, 'open')
  server.on('connection', socket => {
    socket.on('message', frame => {
      if (onward) onward.send(frame)
      else for (const other of server.clients) if (other !== socket) other.send(frame)
    })
  })
  process.send(`ws://127.0.0.1:${server.address().port}`)
  process.on('disconnect', () => process.exit(0))
}

async function startRelay(onward = '') {
  const child = fork(file, [folder, count, rate, hops, 'relay', onward])
  const [url] = await once(child, 'message')
  return { child, url }
}

/** Sends numbered frames with the time in them. */
async function send(socket, from, to, waitMs) {
  for (let i = from; i < to; i++) {
    const frame = Buffer.alloc(FRAME_BYTES)
    frame.writeUInt32LE(i, 0)
    frame.writeDoubleLE(performance.now(), 4)
    socket.send(frame)
    await new Promise(resolve => setTimeout(resolve, waitMs))
  }
}

async function measure() {
  const last = await startRelay()
  const relays = [last]
  if (hops === '2') relays.push(await startRelay(last.url))
  const receiver = new WebSocket(last.url, { perMessageDeflate: false })
  const sender = new WebSocket(relays.at(-1).url, { perMessageDeflate: false })
  await Promise.all([once(receiver, 'open'), once(sender, 'open')])
  const latencies = []
  receiver.on('message', frame => {
    if (frame.readUInt32LE(0) >= WARM_UP) latencies.push(performance.now() - frame.readDoubleLE(4))
  })
  await send(sender, 0, WARM_UP, 1)
  await send(sender, WARM_UP, WARM_UP + Number(count), 1000 / Number(rate))
  await new Promise(resolve => setTimeout(resolve, 200))
  console.log(JSON.stringify({ latencies }))
  receiver.close()
  sender.close()
  for (const { child } of relays) child.kill()
}

await (role === 'relay' ? serve() : measure())
