// Markdown as HTML that can be shown: no HTML of the text's own, no link but to http, https, mailto and places in the page,
// pictures only from this server (the page's policy allows no others, so they become links).
import MarkdownIt from 'markdown-it'

const SAFE = /^(https?:|mailto:|#)/i

export function renderMarkdown(text: string): string {
  const md = new MarkdownIt({ html: false, linkify: true, typographer: false })
  md.validateLink = (url) => SAFE.test(url.trim())
  md.renderer.rules['link_open'] = (tokens, i, options, _env, self) => {
    const href = String(tokens[i]?.attrGet('href') ?? '')
    if (!href.startsWith('#')) {
      tokens[i]?.attrSet('target', '_blank')
      tokens[i]?.attrSet('rel', 'noopener noreferrer nofollow')
    }
    return self.renderToken(tokens, i, options)
  }
  md.renderer.rules['image'] = (tokens, i) => {
    const token = tokens[i]
    const escape = md.utils.escapeHtml
    const alt = token?.content ?? ''
    const source = String(token?.attrGet('src') ?? '')
    if (source.startsWith('#')) return escape(alt)
    return `<a href="${escape(source)}" target="_blank" rel="noopener noreferrer nofollow">${escape(alt === '' ? source : alt)}</a>`
  }
  // Columns are aligned by attributes of style, which the page's policy forbids: a class says the same.
  for (const cell of ['th_open', 'td_open'])
    md.renderer.rules[cell] = (tokens, i, options, _env, self) => {
      const token = tokens[i]
      const align = /text-align:(\w+)/.exec(String(token?.attrGet('style') ?? ''))?.[1]
      if (token !== undefined) token.attrs = align === undefined ? null : [['class', `align-${align}`]]
      return self.renderToken(tokens, i, options)
    }
  return md.render(text)
}
