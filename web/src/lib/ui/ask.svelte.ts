// Ask before something that cannot be taken back: says what will happen, in the words of the button.
//
//   if (await ask({ title: t('jobs.cancel_many', { n }), text: t('jobs.cancel_what'), yes: t('jobs.cancel'), danger: true })) …
export type Question = { title: string; text: string; yes: string; danger?: boolean }

class Asking {
  question = $state.raw<Question | undefined>(undefined)
  answer: (yes: boolean) => void = () => {}
}
export const asking = new Asking()

export function ask(question: Question): Promise<boolean> {
  asking.answer(false)
  asking.question = question
  return new Promise((resolve) => {
    asking.answer = (yes) => {
      asking.question = undefined
      asking.answer = () => {}
      resolve(yes)
    }
  })
}
