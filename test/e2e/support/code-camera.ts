/** A camera that sees a QR code: Chromium plays a file as what its camera sees. */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import type { Browser, Locator, PlaywrightWorkerArgs } from '@playwright/test'

const WIDTH = 640
const HEIGHT = 480
/** Nobody holds a code quite straight. */
const TILT = 0.06

/** Writes what a camera sees that looks at a picture on a page, as a file of one repeated frame. */
export async function filmOf(picture: Locator, file: string): Promise<void> {
  const luma = await picture.evaluate(
    (image: HTMLImageElement, { width, height, tilt }) => {
      const context = new OffscreenCanvas(width, height).getContext('2d')!
      context.fillStyle = '#777'
      context.fillRect(0, 0, width, height)
      context.translate(width / 2, height / 2)
      context.rotate(tilt)
      const side = 0.75 * height
      context.drawImage(image, -side / 2, -side / 2, side, side)
      const { data } = context.getImageData(0, 0, width, height)
      // As text: a list of so many numbers takes seconds on its way to the test.
      let text = ''
      for (let at = 0; at < data.length; at += 4) text += String.fromCharCode(data[at]!)
      return btoa(text)
    },
    { width: WIDTH, height: HEIGHT, tilt: TILT }
  )
  await writeFile(file, filmFile(Buffer.from(luma, 'base64')))
}

/** A film of one frame, shown for ever. @param luma - brightness of each point. */
function filmFile(luma: Buffer): Buffer {
  // YUV4MPEG2 (https://wiki.multimedia.cx/index.php/YUV4MPEG2): brightness, then both colours at a quarter of the size.
  const colours = Buffer.alloc((WIDTH * HEIGHT) / 2, 128)
  const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, colours])
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420\n`), frame, frame])
}

/** A browser of its own, whose camera plays a file: grey, until {@link filmOf} has written something else. */
export async function browserWithCamera({ playwright, launchOptions }: BrowserOptions, film: string): Promise<Browser> {
  // Without the file there is no camera.
  await writeFile(film, filmFile(Buffer.alloc(WIDTH * HEIGHT, 128)))
  const camera = ['--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${film}`]
  return playwright.chromium.launch({
    ...launchOptions,
    ...wholeBrowser(launchOptions),
    args: [...(launchOptions.args ?? []), ...camera]
  })
}

/** The headless shell has no cameras, not even played ones: the whole browser is beside it where both are installed. */
function wholeBrowser({ executablePath }: BrowserOptions['launchOptions']): { executablePath?: string } {
  const whole = executablePath?.replace(/-headless-shell$/, '')
  return whole !== undefined && existsSync(whole) ? { executablePath: whole } : {}
}

type BrowserOptions = Pick<PlaywrightWorkerArgs, 'playwright'> & {
  launchOptions: NonNullable<Parameters<PlaywrightWorkerArgs['playwright']['chromium']['launch']>[0]>
}
