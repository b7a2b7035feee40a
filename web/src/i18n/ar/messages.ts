import type { messages as English } from '../en/messages.ts'
import { isolated } from '../isolated.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('ar')

/** What can be done with a message, and what was. */
export const messages: typeof English = {
  messages: {
    reply: 'رد',
    edit: 'تعديل',
    forward: 'إعادة توجيه',
    forwardTo: 'إعادة التوجيه إلى',
    forwardHint: 'يُرسل النص، ولا يُذكر من كتبه.',
    forwarded: 'أُعيد توجيهها',
    pin: 'تثبيت للجميع',
    unpin: 'إلغاء التثبيت',
    star: 'تمييز بنجمة',
    unstar: 'إزالة النجمة',
    starred: 'مميزة بنجمة',
    select: 'تحديد',
    remove: 'حذف',
    copy: 'نسخ',
    react: emoji => `التفاعل بـ ${emoji}`,
    unreact: emoji => `سحب ${emoji}`,
    reactions: 'التفاعلات',
    reaction: (emoji, names) => `${emoji}: ${isolated(names)}`,
    edited: 'معدّلة',
    replyTo: name => `رد على ${isolated(name)}`,
    editing: 'تعديل الرسالة',
    cancel: 'إلغاء',
    quoteOf: name => `ردًا على ${isolated(name)}`,
    goToQuote: 'الانتقال إلى الرسالة',
    quoteMissing: 'هذه الرسالة ليست على هذا الجهاز.',
    quoteDeleted: 'رسالة محذوفة',
    pinned: 'مثبّتة',
    pinnedCount: n =>
      plural(n, {
        one: 'رسالة مثبّتة',
        two: 'رسالتان مثبّتتان',
        few: '{n} رسائل مثبّتة',
        many: '{n} رسالة مثبّتة',
        other: '{n} رسالة مثبّتة'
      }),
    nextPinned: 'الرسالة المثبّتة التالية',
    selected: n =>
      plural(n, {
        one: 'حُددت رسالة واحدة',
        two: 'حُددت رسالتان',
        few: 'حُددت {n} رسائل',
        many: 'حُددت {n} رسالة',
        other: 'حُددت {n} رسالة'
      }),
    selectThis: (from, time) => `تحديد الرسالة من ${isolated(from)}، ${time}`,
    deleteTitle: n =>
      plural(n, {
        one: 'حذف هذه الرسالة؟',
        two: 'حذف رسالتين؟',
        few: 'حذف {n} رسائل؟',
        many: 'حذف {n} رسالة؟',
        other: 'حذف {n} رسالة؟'
      }),
    deleteForAll: 'حذف للجميع',
    deleteForAllHint: 'تُحذف من كل جهاز يلتزم بذلك. من قرأها قد يتذكرها أو يكون قد نسخها.',
    deleteForMe: 'حذف لي فقط',
    deleteForMeHint: 'تُحذف من أجهزتك أنت. ويحتفظ بها الآخرون.',
    failed: 'لم ينجح ذلك. لم يتغير شيء.',
    more: 'المزيد',
    poll: 'اطرح سؤالًا',
    pollQuestion: 'السؤال',
    pollOption: n => `الإجابة ${n}`,
    pollAdd: 'إضافة إجابة',
    pollMultiple: 'يمكن اختيار عدة إجابات',
    pollSend: 'اسأل',
    pollOpen: 'يرى الجميع من اختار ماذا.',
    pollVotes: n => plural(n, { one: 'صوت واحد', two: 'صوتان', few: '{n} أصوات', many: '{n} صوتًا', other: '{n} صوت' }),
    pollVoters: n =>
      plural(n, {
        one: 'صوّت شخص واحد',
        two: 'صوّت شخصان',
        few: 'صوّت {n} أشخاص',
        many: 'صوّت {n} شخصًا',
        other: 'صوّت {n} شخص'
      }),
    timer: 'رسائل تختفي',
    timerHint: 'تختفي الرسائل الجديدة بعد هذه المدة من إرسالها أو قراءتها. ومن يقرؤها يستطيع نسخها مع ذلك.',
    timerOff: 'إيقاف',
    timerNow: time => `تختفي الرسائل بعد ${time}`,
    disappearsAt: 'تختفي',
    editedAt: 'عُدّلت',
    earlier: 'النص السابق',
    notYet: 'لم تصل بعد',
    deviceOf: (name, n) => `${isolated(name)}، الجهاز ${n}`,
    promiseAsk: 'اسأل من ما زال يحفظها',
    promiseHint: 'عندها يعرف من يحفظها عنوانك على الإنترنت.',
    promiseOf: operator => `يحفظها المشغّل ${isolated(operator)}`,
    promise: {
      kept: 'ما زال يحفظها، أو استلمها جهاز',
      broken: 'وقّع أنه يحفظها ثم وقّع أنها ليست عنده: أخلف وعده',
      ended: 'حذفها كما تسمح القواعد',
      unclear: 'يقول إنها ليست عنده، وهذا لا يثبت شيئًا بعد',
      silent: 'لا يجيب'
    }
  }
}
