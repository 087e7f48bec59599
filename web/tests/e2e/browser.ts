// Debian's Chromium without a window. As root (containers) it has no sandbox of its own.
import type { LaunchOptions } from 'playwright-core'

export const browserOptions: LaunchOptions = {
  executablePath: process.env['PLATEN_CHROMIUM'] ?? '/usr/bin/chromium-headless-shell',
  args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-dev-shm-usage', '--force-color-profile=srgb'],
}

export const desk = { width: 1440, height: 900 }
export const phone = { width: 390, height: 844 }
