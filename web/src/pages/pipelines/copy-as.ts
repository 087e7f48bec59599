// A run in the words of the command line and of curl: what the form holds, ready to paste.
type Run = { name: string; values: Record<string, unknown>; options: Record<string, unknown>; files: { input: string; name: string }[] }

// What the command has flags for; the others are the API's alone.
const flagOptions = ['priority', 'no_memo']

const quoted = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)
const flag = (name: string) => name.replaceAll('_', '-')
const asText = (value: unknown) => (typeof value === 'string' ? value : Array.isArray(value) && value.every((v) => typeof v === 'string') ? value.join(',') : JSON.stringify(value))

export function asCommand(run: Run): string {
  const flags = Object.entries({ ...run.values, ...Object.fromEntries(Object.entries(run.options).filter(([name]) => flagOptions.includes(name))) }).map(([name, value]) =>
    value === true ? `--${flag(name)}` : `--${flag(name)} ${quoted(asText(value))}`)
  const one = new Set(run.files.map((f) => f.input)).size <= 1
  const files = run.files.map((f) => (one ? quoted(f.name) : `--${flag(f.input)} ${quoted(f.name)}`))
  return ['platen flow run', quoted(run.name), ...files, ...flags, '--follow'].join(' ')
}

export function asCurl(run: Run, origin: string): string {
  const query = new URLSearchParams(Object.entries(run.options).map(([name, value]): [string, string] => [name, asText(value)])).toString()
  const parts = [
    ...run.files.map((f) => `-F ${quoted(`${f.input}=@${f.name}`)}`),
    ...Object.entries(run.values).map(([name, value]) => `-F ${quoted(`${name}=${asText(value)}`)}`),
  ]
  return [`curl -X POST ${quoted(`${origin}/api/v1/pipelines/${run.name}/run${query === '' ? '' : `?${query}`}`)}`, '-H "Authorization: Bearer $PLATEN_KEY"', ...parts].join(' \\\n  ')
}
