/** Between the file of a message as it travels and as it is stored. */
import type { BodyOf, MessageBody } from '../../protocol/conversation/message.ts'
import { safeFileName } from '../../protocol/files/file-name.ts'
import { mediaTypeOrUnknown } from '../../protocol/files/media-type.ts'
import type { FileView } from '../peer-api.ts'
import type { MessageFile } from '../store/file-entry.ts'

/** Name of a voice note on a disk, before the ending. */
const VOICE_NOTE_NAME = 'voice-note'
const VOICE_ENDINGS: Readonly<Record<string, string>> = { 'audio/webm': 'webm', 'audio/ogg': 'ogg', 'audio/mp4': 'm4a' }

/** The file of a received message. What its sender claims is made safe here: names lead nowhere, types are types. */
export function fileOfBody(body: BodyOf<'attachment'> | BodyOf<'voiceNote'>): MessageFile {
  const { hash, size, key, nodes } = body.blob
  const mediaType = mediaTypeOrUnknown(body.blob.mediaType)
  const blob = { hash, size, key, nodes, mediaType }
  if (body.kind === 'voiceNote') {
    const name = `${VOICE_NOTE_NAME}.${VOICE_ENDINGS[mediaType] ?? 'audio'}`
    const voice = { durationMs: body.durationMs, waveform: body.waveform }
    return { ...blob, name, width: null, height: null, thumbnail: null, voice }
  }
  const { width, height, thumbnail } = body
  return { ...blob, name: safeFileName(body.name), width, height, thumbnail, voice: null }
}

/** What is sent for an own message with a file. @param text - what the writer says about it. */
export function bodyOfFile(file: MessageFile, text: string): MessageBody {
  const { hash, size, key, mediaType, nodes, voice, name, width, height, thumbnail } = file
  const blob = { hash, size, key, mediaType, nodes }
  if (voice) return { kind: 'voiceNote', blob, ...voice }
  return { kind: 'attachment', blob, name, caption: text, width, height, thumbnail }
}

/** The form that screens and the command line see: without keys. */
export function fileView({ name, size, mediaType, width, height, thumbnail, voice }: MessageFile): FileView {
  return { name, bytes: size, type: mediaType, width, height, thumbnail, voice }
}
