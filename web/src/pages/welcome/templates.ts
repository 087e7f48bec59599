// Three small pipelines to begin with. Each takes one file; `family` is what file.detect calls the files that it suits best.
export type Template = { id: 'text' | 'pictures' | 'sorted'; name: string; families: string[]; yaml: string }

export const templates: Template[] = [
  {
    id: 'text',
    name: 'text-and-keywords',
    families: ['document', 'text'],
    yaml: `name: text-and-keywords
title: Text and keywords
summary: What does a document say, and what is it about.
inputs:
  file: {type: file, required: true, help: A document.}
steps:
  extract:
    uses: document.extract
    with: {file: "\${{ inputs.file }}", format: markdown}
  keywords:
    uses: text.keywords
    with: {file: "\${{ steps.extract.markdown }}", count: 10}
outputs:
  pages: "\${{ steps.extract.pages }}"
  keywords: "\${{ steps.keywords.keywords }}"
  markdown: "\${{ steps.extract.markdown }}"
`,
  },
  {
    id: 'pictures',
    name: 'small-picture',
    families: ['image'],
    yaml: `name: small-picture
title: Small picture
summary: A picture for the web, and what is written on it.
inputs:
  file: {type: file, required: true, help: A picture.}
steps:
  small:
    uses: image.optimize
    with: {file: "\${{ inputs.file }}"}
  read:
    uses: ocr.image
    with: {file: "\${{ inputs.file }}"}
    continue-on-error: true
outputs:
  saved_percent: "\${{ steps.small.saved_percent }}"
  picture: "\${{ steps.small.output }}"
  words: "\${{ steps.read.words }}"
`,
  },
  {
    id: 'sorted',
    name: 'what-is-it',
    families: [],
    yaml: `name: what-is-it
title: What is it
summary: What a file is, and whether it would do harm.
inputs:
  file: {type: file, required: true, help: Any file.}
steps:
  detect:
    uses: file.detect
    with: {file: "\${{ inputs.file }}"}
  scan:
    uses: security.scan
    with: {file: "\${{ inputs.file }}"}
outputs:
  type: "\${{ steps.detect.type }}"
  name: "\${{ steps.detect.name }}"
  verdict: "\${{ steps.scan.verdict }}"
`,
  },
]
