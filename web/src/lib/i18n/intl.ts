// The browser's formatters, each made once: making one costs far more than using it (a DateTimeFormat reads the rules of a time zone,
// about 10 ms on a desk and 50 ms on a slow phone).
const made = new Map<string, unknown>()

function once<T>(kind: string, language: string, options: object | undefined, make: () => T): T {
  const key = `${kind} ${language} ${options === undefined ? '' : JSON.stringify(options)}`
  const found = made.get(key) as T | undefined
  if (found !== undefined) return found
  const one = make()
  made.set(key, one)
  return one
}

export const numberFormat = (language: string, options?: Intl.NumberFormatOptions) =>
  once('number', language, options, () => new Intl.NumberFormat(language, options))
export const dateFormat = (language: string, options: Intl.DateTimeFormatOptions) =>
  once('date', language, options, () => new Intl.DateTimeFormat(language, options))
export const relativeFormat = (language: string, options: Intl.RelativeTimeFormatOptions) =>
  once('relative', language, options, () => new Intl.RelativeTimeFormat(language, options))
export const pluralRules = (language: string) => once('plural', language, undefined, () => new Intl.PluralRules(language))

const zoneKey = 'zone'

// The reader's time zone, "Europe/Berlin". Remembered, because asking for it costs as much as a formatter; asked again when the clock's
// distance from UTC is another one, and once after the page has come to rest.
export function timeZone(): string {
  const offset = String(new Date().getTimezoneOffset())
  const [known, at] = (localStorage.getItem(zoneKey) ?? '').split(' ')
  if (known !== undefined && known !== '' && at === offset) {
    setTimeout(askZone, 5000)
    return known
  }
  return askZone()
}

function askZone(): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  localStorage.setItem(zoneKey, `${zone} ${new Date().getTimezoneOffset()}`)
  return zone
}
