// CodeMirror's own words in the reader's language.
import { t } from '$lib/i18n/language.svelte'

export function phrases(): Record<string, string> {
  return {
    Find: t('edit.find'),
    Replace: t('edit.replace'),
    next: t('edit.next'),
    previous: t('edit.previous'),
    all: t('edit.all'),
    'match case': t('edit.match_case'),
    regexp: t('edit.regexp'),
    'by word': t('edit.by_word'),
    replace: t('edit.replace_this'),
    'replace all': t('edit.replace_all'),
    close: t('edit.close'),
    'Go to line': t('edit.go_to_line'),
    go: t('edit.go'),
    Completions: t('edit.completions'),
    Diagnostics: t('edit.faults'),
    'No diagnostics': t('edit.no_faults'),
    '$ unchanged lines': t('edit.unchanged'),
    'folded code': t('edit.folded'),
    'Fold line': t('edit.fold'),
    'Unfold line': t('edit.unfold'),
    unfold: t('edit.unfold'),
  }
}
